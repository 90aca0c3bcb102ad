"""What a sandbox is told before it starts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

import pyotp

from ocp_sandbox.faults import Fault

Role = Literal["owner", "operator", "reader"]
OPERATIONS = ("create", "update", "attach", "detach", "delete")
EVERY_GROUP = "*"
MOST_NUMBERS = 1_000_000


def _every_operation() -> dict[str, int]:
    return dict.fromkeys(OPERATIONS, 1_000)


@dataclass(frozen=True)
class User:
    """A login: what it may do (``role``) and where (``groups``, ``("*",)`` for all of them).

    ``totp`` is a base32 secret; with it the login needs a one-time code. ``pat`` is a personal access token.
    """

    name: str
    password: str
    role: Role = "owner"
    groups: Sequence[str] = (EVERY_GROUP,)
    totp: str | None = None
    pat: str | None = None

    def __post_init__(self) -> None:
        if not self.name or not self.password:
            raise ValueError("user: name and password must not be empty")
        if self.role not in get_args(Role):
            raise ValueError(f"role of {self.name}: {self.role!r} is unknown; take one of {', '.join(get_args(Role))}")
        if not self.groups:
            raise ValueError(f"groups of {self.name}: the list is empty; name groups, or * for all")
        try:
            if self.totp is not None:
                pyotp.TOTP(self.totp).byte_secret()
        except ValueError as error:
            raise ValueError(f"totp of {self.name}: no base32 secret of a one-time code: {error}") from None

    def sees(self, group: str) -> bool:
        """Whether this login may see what belongs to ``group``."""
        return EVERY_GROUP in self.groups or group in self.groups


@dataclass(frozen=True)
class Settings:
    """Size, logins, limits and habits of a sandbox. Times are in seconds of the sandbox's clock.

    ``state`` keeps everything in that file; without it all is gone at the end. ``certificate`` serves HTTPS, as
    localhost and as a host named sandbox, and puts the certificate to trust into that file. ``page_cap`` is the
    largest page the server answers. ``visibility_delay`` is how long a bought number is missing from every list.
    ``licences`` is how many numbers can be bought in all. ``stock`` is how many numbers each provider offers in
    each country, ``unpriced`` the share of offers that show no price. ``csv_limits`` is the most rows of each
    operation in an imported file; one not named there has no limit.
    """

    numbers: int = 500
    users: Sequence[User] = (User("ops", "secret"),)
    seed: int = 1
    host: str = "127.0.0.1"
    port: int = 0
    state: Path | None = None
    certificate: Path | None = None
    realm: str = "master"
    client_id: str = "ocp"
    token_ttl: float = 300
    refresh_ttl: float = 1800
    page_cap: int | None = None
    visibility_delay: float = 0
    rate_limit: int | None = None
    licences: int | None = None
    stock: int = 200
    offers_cap: int = 100
    unpriced: float = 0
    restock_released: bool = False
    csv_as_text: bool = False
    csv_limits: Mapping[str, int] = field(default_factory=_every_operation)
    faults: Sequence[Fault] = ()

    def __post_init__(self) -> None:
        bounds: list[tuple[str, float | None, float, float]] = [
            ("numbers", self.numbers, 0, MOST_NUMBERS),
            ("port", self.port, 0, 65_535),
            ("token_ttl", self.token_ttl, 1, math.inf),
            ("refresh_ttl", self.refresh_ttl, 1, math.inf),
            ("page_cap", self.page_cap, 1, math.inf),
            ("visibility_delay", self.visibility_delay, 0, math.inf),
            ("rate_limit", self.rate_limit, 1, math.inf),
            ("licences", self.licences, 0, math.inf),
            ("stock", self.stock, 0, 100_000),
            ("offers_cap", self.offers_cap, 1, math.inf),
            ("unpriced", self.unpriced, 0, 1),
        ]
        bounds += [(f"csv_limits {name}", limit, 0, math.inf) for name, limit in self.csv_limits.items()]
        for name, value, least, most in bounds:
            if value is not None and not least <= value <= most:
                raise ValueError(f"{name}: {value} is out of range; give {least} to {most}")
        if unknown := set(self.csv_limits) - set(OPERATIONS):
            raise ValueError(
                f"csv_limits: unknown operation {', '.join(sorted(unknown))}; known: {', '.join(OPERATIONS)}"
            )
        names = [user.name for user in self.users]
        if not names:
            raise ValueError("users: the list is empty; name at least one login")
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"users: {', '.join(sorted(twice))} stands there more than once")

    def user(self, name: str) -> User | None:
        """The login of that name, if there is one."""
        return next((user for user in self.users if user.name == name), None)
