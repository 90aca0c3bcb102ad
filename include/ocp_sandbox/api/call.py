"""What a route declares, and what its handler is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from ocp_sandbox.messages import Request, Response
from ocp_sandbox.rules.session import Session
from ocp_sandbox.settings import Role, Settings, User
from ocp_sandbox.store import Store
from ocp_sandbox.validation import Shape

Body = Literal["none", "json", "multipart"]


@dataclass(frozen=True)
class Call:
    """A request that was let in: who it is, what the path names, and the checked fields of query or body."""

    request: Request
    store: Store
    settings: Settings
    user: User
    path: Mapping[str, str]
    fields: Mapping[str, Any]

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A transaction in the name of this login."""
        with self.store.transaction() as db:
            yield Session(db, self.user, self.store.clock.now(), self.settings)


Handler = Callable[[Call], Response]


@dataclass(frozen=True)
class Route:
    """One of the documented calls. ``path`` is below ``/integrations``, its variables in braces."""

    method: str
    path: str
    handler: Handler
    least: Role = "operator"
    body: Body = "none"
    shape: Shape = field(default_factory=dict)
