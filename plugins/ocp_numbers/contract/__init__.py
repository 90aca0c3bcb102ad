"""The contract with the platform: an OpenAPI document of its operations, and a real platform compared with it.

Both are made from the client's table of operations, so that they cannot say anything else than the client does.
"""

from ocp_numbers.contract.comparing import Trial, Verdict, compare
from ocp_numbers.contract.document import document

__all__ = ["Trial", "Verdict", "compare", "document"]
