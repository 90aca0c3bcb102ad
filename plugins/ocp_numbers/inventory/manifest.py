"""The manifest: what a published snapshot consists of, what it was read from, and that it is whole."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from ocp_numbers.documents import digest
from ocp_numbers.errors import shown
from ocp_numbers.inventory.filters import FIELDS


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class File(_Part):
    """A file of the snapshot; ``path`` is relative to the partition's folder."""

    path: str
    bytes: int
    sha256: str


class Scope(_Part):
    """What the snapshot is of: an environment, as far as one login sees it, all of it or some numbers only.

    ``groups`` and ``filters`` say which, where they are not empty: the numbers in one of the groups that match all of
    the filters. ``rights`` are the login's roles and groups, as far as its access token tells them.
    """

    environment: str
    groups: tuple[str, ...] = ()
    filters: dict[Annotated[str, StringConstraints(pattern=f"^({'|'.join(FIELDS)})$")], str] = {}
    login: str = ""
    rights: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The scope for a message, such as ``ocp_default, group retail, note 'desk'``."""
        groups = f", group{'s' * (len(self.groups) > 1)} {shown(self.groups)}" if self.groups else ""
        searched = (f", {name.replace('_', ' ')} {text!r}" for name, text in self.filters.items())
        return "".join((self.environment, groups, *searched))

    @property
    def part(self) -> tuple[tuple[str, ...], dict[str, str]]:
        """Groups and filters, as the functions take them that find snapshots."""
        return self.groups, self.filters

    @property
    def whole(self) -> bool:
        """Whether it is everything that the login sees."""
        return not self.groups and not self.filters


class Counts(_Part):
    """The rows by group, country, miniApp (its name, or its id where it has none), type, and attachment.

    What a number has none of counts under ``""``. ``invalid`` numbers do not exist in their country's numbering plan;
    in ``country_mismatches`` the platform names another country than the number does.
    """

    by_group: dict[str, int] = {}
    by_country: dict[str, int] = {}
    by_mini_app: dict[str, int] = {}
    by_type: dict[str, int] = {}
    attached: int = 0
    unattached: int = 0
    invalid: int = 0
    country_mismatches: int = 0


class Proof(_Part):
    """How the snapshot was read and proven.

    ``source`` says whether the listing's ``pages`` were read or the platform's own ``csv``; ``attempts`` is above 1 if
    the inventory moved during a reading; ``calls`` counts the pages asked for, in all attempts, and ``retries`` those
    that had to be asked for again; ``full_check`` says whether the CSV was compared with the pages. ``milliseconds``
    is what each step of the last attempt took.
    """

    source: Literal["pages", "csv"] = "pages"

    total: int
    pages: int
    page_size: int
    attempts: int
    calls: int
    retries: int = 0
    full_check: bool
    started: datetime
    ended: datetime
    milliseconds: dict[str, int] = {}


class Comparison(_Part):
    """What ``changes.parquet`` is measured against, how often it tells of each kind of change, and of each author."""

    date: date
    digest: str
    counts: dict[str, int]
    by: dict[str, int] = {}


class Manifest(_Part):
    """The last file of a snapshot to be written. What it names is whole, or it would not be there.

    ``balance`` is the verdict of ``balance.json``. ``hidden`` are groups that earlier snapshots had
    numbers of, so many, and that the login may not look at any more; ``notices`` say in sentences what changed in what
    it sees.
    """

    schema_version: Literal[1] = 1
    scope: Scope
    date: date
    rows: int
    rejects: int
    files: dict[str, File]
    counts: Counts
    proof: Proof
    versions: dict[str, str]
    changes: Comparison | None = None
    balance: Literal["balanced", "unbalanced", "opening"] | None = None
    hidden: dict[str, int] = {}
    notices: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """What tells this publication from any other, as 64 hexadecimal digits."""
        return digest(self.model_dump(mode="json", exclude={"files": {name: {"path"} for name in self.files}}))

    def document(self) -> bytes:
        """The manifest as the JSON that is published."""
        return self.model_dump_json(indent=2).encode() + b"\n"
