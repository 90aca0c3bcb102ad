"""Books that balance: every number in the inventory against our records, and our records against the inventory.

The first snapshot is the opening balance. From then on each night closes on the one before:

* an **orphan** came into the inventory, and no order, adoption or run on record brought it;
* a **stranger** is on record otherwise than the inventory shows it: it is gone and no run on record gave it up, or it
  was bought and is not there, or it was given up and is still there;
* an **unknown** is a call of which nobody knows whether it took effect, or a record that cannot be read.

Where there is none of them the books balance. What came from elsewhere is an orphan in the night in which it is first
seen; from the next on it traces to that snapshot, like all that was there before.

``records`` reads orders and journals, ``checking`` compares, ``account`` is what comes of it: ``balance.json`` among
the files of the snapshot, and ``findings.csv`` with every single finding.
"""

from ocp_numbers.balance.account import BALANCE, FINDINGS, Balance, Finding, read

__all__ = ["BALANCE", "FINDINGS", "Balance", "Finding", "read"]
