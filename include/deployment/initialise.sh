#!/usr/bin/env bash
# What a new deployment needs once, and an upgraded one again: schema, roles, a first administrator, the pool.
# Safe to repeat. ADMIN_PASSWORD: of the user `admin`; only used when that user does not exist yet.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

airflow db migrate
airflow roles import "$here/roles.json"
if ! airflow users list --output plain | awk '{ print $2 }' | grep -qx admin; then
  # `airflow users create`, told the password where nobody who lists processes sees it.
  python -c 'import os, sys; from airflow.__main__ import main; sys.argv += ["--password", os.environ["ADMIN_PASSWORD"]]; main()' \
    users create --role Admin --username admin --firstname Admin --lastname Admin --email admin@localhost >/dev/null
fi
airflow pools set ocp_writes 1 "One writer at a time: paid and destructive tasks"
