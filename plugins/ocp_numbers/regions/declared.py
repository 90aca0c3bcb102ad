"""Declared regions: a folder with one YAML file for each, read whole or refused with every fault of every file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from ocp_numbers.errors import InvalidInput
from ocp_numbers.plain_yaml import read_yaml
from ocp_numbers.regions.spec import RegionSpec

if TYPE_CHECKING:
    from typing_extensions import Self

SUFFIX = ".yaml"


class DeclaredRegion(RegionSpec):
    """A region as its file declares it; ``name`` is the file's name without its ending."""

    name: str = Field(min_length=1)
    apply: Literal["when_asked", "on_approval"] = "when_asked"
    """What a drift leads to: ``when_asked``, ``provision_region`` is triggered once a person asks for it;
    ``on_approval``, at once, and the person approves its plan there."""

    @model_validator(mode="after")
    def _somebody_is_asked(self) -> Self:
        if self.apply == "on_approval" and not self.require_approval:
            raise InvalidInput(
                "apply: 'on_approval' leaves the decision to the approval that require_approval: false switches off; "
                "remove one of the two"
            )
        return self


def read_declared(folder: Path) -> tuple[DeclaredRegion, ...]:
    """The regions that the files ``*.yaml`` in ``folder`` declare, by name; none where there is no such file.

    Files whose names begin with a dot are left alone.

    :raises InvalidInput: with every fault of every file, each naming file, field, value and fix; also for a folder that
        does not exist, a file ending in ``.yml``, and a region that two files declare.
    """
    if not folder.is_dir():
        raise InvalidInput(f"{folder}: is not a folder; create it, empty where no region is to be declared")
    visible = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    problems = [
        f"{path.name}: would not be read; let its name end in {SUFFIX}" for path in visible if path.suffix == ".yml"
    ]
    regions: list[DeclaredRegion] = []
    for path in visible:
        if path.suffix != SUFFIX:
            continue
        try:
            regions.append(read_region(path))
        except InvalidInput as error:
            problems += error.problems
    problems += _declared_twice(regions)
    if problems:
        raise InvalidInput(problems)
    return tuple(regions)


def read_region(path: Path) -> DeclaredRegion:
    """The region that the file at ``path`` declares.

    :raises InvalidInput: naming the file and every fault in it.
    """
    try:
        content = read_yaml(path)
    except (OSError, UnicodeEncodeError) as error:
        why = error.strerror if isinstance(error, OSError) else error.reason
        raise InvalidInput(f"{path.name}: not readable: {why}; correct it or take it away") from None
    if not isinstance(content, dict):
        raise InvalidInput(f"{path.name}: holds {type(content).__name__}; write one 'field: value' per line")
    if "name" in content:
        raise InvalidInput(f"{path.name}: name: not a field of a region; it is named after its file")
    try:
        return DeclaredRegion.parse({**content, "name": path.stem})
    except InvalidInput as error:
        raise InvalidInput([f"{path.name}: {problem}" for problem in error.problems]) from None


def _declared_twice(regions: list[DeclaredRegion]) -> list[str]:
    places: dict[tuple[str, str, str], list[str]] = {}
    for region in regions:
        key = (region.ocp_conn_id, region.group, region.set_name)
        places.setdefault(key, []).append(f"{region.name}{SUFFIX}")
    return [
        f"{', '.join(files)}: set_name: {set_name!r} of group {group!r} in {environment} is declared by {len(files)} "
        "files; keep one of them"
        for (environment, group, set_name), files in places.items()
        if len(files) > 1
    ]
