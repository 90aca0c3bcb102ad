"""How far a login sees: a group that it may not look at any more is not a group whose numbers are gone.

The listing does not tell the two apart; both are numbers that it does not show. So a group that the last snapshot had
numbers of and this one has none of is asked for by name, which the platform refuses where the login has no rights.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ocp_numbers.client import OcpClient
from ocp_numbers.errors import ApiError, Forbidden, NotFound, shown
from ocp_numbers.inventory.manifest import Manifest

log = logging.getLogger(__name__)


class Sight(Protocol):
    """What a login may look at."""

    def rights(self) -> tuple[str, ...]:
        """Its roles and groups, as far as it is told them."""

    def sees(self, group: str) -> bool:
        """Whether it may look at ``group``."""


class FullSight:
    """That of somebody who sees everything."""

    def rights(self) -> tuple[str, ...]:
        """None is named."""
        return ()

    def sees(self, group: str) -> bool:
        """Always."""
        return True


FULL_SIGHT = FullSight()


class LoginSight:
    """That of a client's login.

    :param client: asked for the client before each call.
    """

    def __init__(self, client: Callable[[], OcpClient]) -> None:
        self._client = client

    def rights(self) -> tuple[str, ...]:
        """What its access token says; nothing where the login is by personal access token."""
        return self._client().rights

    def sees(self, group: str) -> bool:
        """Whether ``GET /api/numbers-set/group/{groupId}`` is answered; a platform that cannot be asked says nothing.

        :raises NoAnswer: when the platform cannot be reached.
        :raises ApiError: when it fails for the moment.
        """
        try:
            self._client().sets.list_for_group(group)
        except (Forbidden, NotFound) as refused:
            log.info("Out of sight: group %s (%s)", group, refused)
            return False
        except ApiError as error:
            if error.transient:
                raise
            log.warning("Whether group %s is still in sight cannot be told: %s", group, error)
        return True


@dataclass(frozen=True)
class Change:
    """How what a login sees differs from what it saw when the last snapshot was taken.

    :param hidden: groups that are out of sight now, with the numbers that they had when they were last seen.
    :param again: groups that were out of sight and no longer are.
    :param lost: rights that the login had then, :param gained: and those that it has now only.
    """

    hidden: Mapping[str, int] = field(default_factory=dict)
    again: frozenset[str] = frozenset()
    lost: tuple[str, ...] = ()
    gained: tuple[str, ...] = ()

    @property
    def sentences(self) -> Iterator[str]:
        """What people have to know of it."""
        if self.hidden:
            groups = shown(f"{group} ({count:,} numbers)" for group, count in self.hidden.items())
            yield f"Out of this login's sight, which does not mean gone: {groups}; see its rights in OCP"
        if self.again:
            yield f"In this login's sight again: {shown(sorted(self.again))}"
        if self.lost:
            yield f"The login lost {shown(self.lost)}"
        if self.gained:
            yield f"The login gained {shown(self.gained)}"


def compare_sight(last: Manifest | None, now: Manifest, sight: Sight) -> Change:
    """How the sight of ``now`` differs from that of ``last``, an earlier manifest of the same scope.

    :raises ApiError, NoAnswer: when the platform cannot be asked at the moment.
    """
    if last is None or last.scope.login != now.scope.login:
        return Change()
    had = {**last.hidden, **last.counts.by_group}
    missing = {group: count for group, count in had.items() if group and group not in now.counts.by_group}
    hidden = {group: count for group, count in missing.items() if not sight.sees(group)}
    before, after = {*last.scope.rights}, {*now.scope.rights}
    told = bool(before and after)
    return Change(
        hidden=hidden,
        again=frozenset(last.hidden.keys() - hidden.keys()),
        lost=tuple(sorted(before - after)) if told else (),
        gained=tuple(sorted(after - before)) if told else (),
    )
