"""A change that may be repeated is made once, or once more; what OCP refuses is never pressed on it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ocp_numbers.cleanup.placing import write
from ocp_numbers.errors import AnswerLost, Forbidden, OcpError, Refused, ServerFault


def refused() -> OcpError:
    return Refused(operation="sets.add_numbers", call="POST", status=200, message="The set is locked")


def forbidden() -> OcpError:
    return Forbidden(operation="sets.add_numbers", call="POST", status=403, message="no")


def lost() -> OcpError:
    return AnswerLost(operation="sets.add_numbers", call="POST", reason="the connection broke")


def broken() -> OcpError:
    return ServerFault(operation="sets.add_numbers", call="POST", status=500, message="no")


@pytest.mark.parametrize(
    ("failures", "took_effect", "sent", "raised"),
    [
        ([], False, 1, None),
        ([lost], True, 1, None),
        ([lost], False, 2, None),
        ([broken], False, 2, None),
        ([lost, lost], False, 2, AnswerLost),
        ([refused], True, 1, None),
        ([refused], False, 1, Refused),
        ([lost, refused], False, 2, Refused),
        ([forbidden], False, 1, Forbidden),
    ],
)
def test_how_often_it_is_sent(
    failures: list[Callable[[], OcpError]], took_effect: bool, sent: int, raised: type[OcpError] | None
) -> None:
    calls = 0

    def send() -> None:
        nonlocal calls
        calls += 1
        if calls <= len(failures):
            raise failures[calls - 1]()

    if raised:
        with pytest.raises(raised):
            write(send, took_effect=lambda: took_effect)
    else:
        write(send, took_effect=lambda: took_effect)
    assert calls == sent
