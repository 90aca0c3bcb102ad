"""PostgreSQL's and Redis' programs on this machine, installed from the system's packages if they are missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

PACKAGES = ("postgresql", "redis-server")
INSTALL = ("apt-get", "install", "--yes", "--no-install-recommends", *PACKAGES)


class MissingPackages(Exception):
    """A program is missing and cannot be installed from here; the message says what to install."""


def program(name: str) -> str:
    """Path of ``name``. Debian keeps PostgreSQL's server programs out of the PATH.

    :raises MissingPackages: if it is not on this machine.
    """
    if found := shutil.which(name):
        return found
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    if installed:
        return str(installed[-1])
    raise MissingPackages(f"{name} is missing: install PostgreSQL and Redis, on Debian: sudo {' '.join(INSTALL)}")


def ensure() -> None:
    """Return once PostgreSQL and Redis are installed; install them where that is possible.

    :raises MissingPackages: if they are missing and this is not root on a Debian system.
    """
    try:
        _check()
    except MissingPackages:
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            raise
        quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "--quiet"], check=True, env=quiet, stdout=subprocess.DEVNULL)
        subprocess.run(INSTALL, check=True, env=quiet, stdout=subprocess.DEVNULL)
        _check()


def _check() -> None:
    for name in ("initdb", "postgres", "pg_ctl", "redis-server"):
        program(name)
