"""YAML that people write, read as plain values and bounded: a file of some lines must not become a world of its own.

Anchors may be used, as far as what they stand for stays small; a field that is given twice is a fault, because the
second value would win in silence.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from ocp_numbers.errors import InvalidInput, shown

LARGEST = 256 * 1024
"""Bytes of a file."""

MOST_VALUES = 20_000
"""Values in a file, those that an anchor stands for counted each time."""


def read_yaml(path: Path) -> Any:
    """The content of the file at ``path``; ``None`` for an empty one.

    :raises InvalidInput: naming the file, and what in it is not YAML, or too much.
    :raises OSError: when it cannot be opened.
    """
    with path.open("rb") as stream:
        content = stream.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise InvalidInput(f"{path.name}: is larger than {LARGEST:,} bytes; is it the right file? If so, split it")
    try:
        return _constructed(content.decode())
    except (yaml.YAMLError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        problem = f"{path.name}: not readable as YAML: {error}"
    except RecursionError:
        problem = f"{path.name}: not readable as YAML: it is nested too deeply; write it flatter"
    raise InvalidInput(problem)


def _constructed(text: str) -> Any:
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _count(node, {}, set())
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _count(node: yaml.Node, known: dict[int, int], above: set[int]) -> int:
    """How many values ``node`` stands for, counted before any of them is made.

    :raises ConstructorError: when they are too many, or a field is given twice.
    """
    if id(node) in above:
        raise _fault("refers to itself; write it out", node)
    if id(node) not in known:
        above.add(id(node))
        known[id(node)] = 1 + sum(_count(each, known, above) for each in _inside(node))
        above.remove(id(node))
    if known[id(node)] > MOST_VALUES:
        raise _fault(f"holds more than {MOST_VALUES:,} values; write fewer", node)
    return known[id(node)]


def _inside(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.SequenceNode):
        return list(node.value)
    if not isinstance(node, yaml.MappingNode):
        return []
    names = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
    twice = sorted(name for name, count in names.items() if count > 1)
    if twice:
        raise _fault(f"{shown(twice)}: given more than once; keep one of the values", node)
    return [each for pair in node.value for each in pair]


def _fault(problem: str, node: yaml.Node) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(problem=problem, problem_mark=node.start_mark)
