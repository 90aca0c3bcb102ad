"""The way back: from the journal of a run, or from a snapshot, to the smallest plan that puts numbers back.

The plan is one of :mod:`ocp_numbers.bulk`, approved and carried out like any other. ``sources`` says what each number
was, ``deciding`` what of that can be brought back, ``planning`` writes the plan and beside it what cannot, with the
reason. What a run changed is undone only where it still stands as the run left it, unless somebody asks for more.
"""

from ocp_numbers.restoring.planning import plan_restore

__all__ = ["plan_restore"]
