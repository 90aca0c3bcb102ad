"""The journal: what each run was about to change, by whom, and how it was before; in the data root before it is done.

One document for each call to OCP, numbered within its task and created exclusively. Where a run was killed, its last
entries tell what may have happened; what OCP shows tells what did. Under ``journal/environment=<connection>/`` each run
has a folder ``<dag>/<run id>`` as one segment, and each of its tasks a folder in that; ``.days`` lists who wrote when.

Writing::

    journal = Journal(data_root, environment, Actor(dag_id="d", run_id="r", task_id="t"))
    intent = journal.intend("note", [NumberEdit.of(row, note="lobby") for row in rows])
    ...                                                     # the call, and the read-back
    journal.confirm(intent)

Reading: :func:`entries` of a run, :func:`entries_since` a time, :func:`runs`.
"""

from ocp_numbers.journal.entry import Actor, Entry, NumberEdit, SetEdit
from ocp_numbers.journal.reading import entries, entries_since, expire, runs
from ocp_numbers.journal.writing import Journal

__all__ = ["Actor", "Entry", "Journal", "NumberEdit", "SetEdit", "entries", "entries_since", "expire", "runs"]
