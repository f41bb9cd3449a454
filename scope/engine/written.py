"""What a person wrote, in YAML or JSON: read into plain values, strictly, and the line in which each of them stands.

YAML is read as its version 1.2 has it: `no`, `on` and `2024-01-01` are words, and so is `007`. Tags and keys that stand
twice are refused: they make another document of it than the one that is seen.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

import yaml

from scope.errors import UsageError
from scope.text import excerpt

MOST_VALUES = 100_000  # of one document, aliases followed


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # yaml ships no types
    """Reads mappings, sequences, words, whole numbers, true, false and null."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Return the next node.

        Raises: yaml.MarkedYAMLError if it carries a tag.
        """
        event = self.peek_event()
        if getattr(event, "tag", None) not in (None, "!"):
            raise yaml.MarkedYAMLError(problem="tags are not read", problem_mark=event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """Return a mapping.

        Raises: yaml.MarkedYAMLError if a key stands twice.
        """
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen if isinstance(key, yaml.ScalarNode) else True:
                raise yaml.MarkedYAMLError(problem="a key is one word and stands once", problem_mark=key.start_mark)
            seen.add(key.value)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


for _tag, _pattern, _first in (
    ("bool", r"true|false", "tf"),
    ("null", r"null|~|", ["n", "~", ""]),
    ("int", r"-?(?:0|[1-9][0-9]{0,17})", "-0123456789"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))


def from_yaml(text: str) -> Any:
    """Return what a YAML document holds.

    Raises: UsageError that names the line where there is one.
    """
    try:
        loader = _Loader(text)  # which refuses control characters
        node = loader.get_single_node()
        _size(node, {})
        return _whole(loader.construct_document(node)) if node is not None else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" in line {mark.line + 1}" if mark is not None else ""
        raise UsageError(f"this is not YAML that is read here{where}: {excerpt(error.problem or error)}") from error
    except Exception as error:  # text like "[" * 3000 makes PyYAML raise almost anything
        raise UsageError(f"this is not YAML: {excerpt(error)}") from error


def _size(node: Any, known: dict[int, int | None]) -> int:
    """Return how many values a node holds, those that an alias repeats counted each time.

    `known` are the sizes of nodes that were looked at; None: of one that is being looked at.

    Raises: yaml.MarkedYAMLError if it holds itself, or more than `MOST_VALUES`.
    """
    if id(node) not in known:
        known[id(node)] = None
        inner = node.value if isinstance(node, yaml.CollectionNode) else ()
        parts = (one for child in inner for one in (child if isinstance(child, tuple) else (child,)))
        known[id(node)] = 1 + sum(_size(part, known) for part in parts)
    size = known[id(node)]
    if size is None or size > MOST_VALUES:
        problem = "a value holds itself" if size is None else "its aliases repeat too much"
        raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
    return size


def from_json(text: str) -> Any:
    """Return what a JSON document holds.

    Raises: UsageError that names the line.
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in pairs}) < len(pairs):
            twice = next(key for key, _ in pairs if [k for k, _ in pairs].count(key) > 1)
            raise ValueError(f"the key {twice!r} stands twice")
        return dict(pairs)

    try:
        return _whole(json.loads(text, object_pairs_hook=once))
    except json.JSONDecodeError as error:
        raise UsageError(f"this is not JSON in line {error.lineno}: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"this is not JSON that is read here: {excerpt(error)}") from error


def _whole(value: Any) -> Any:
    """Return a plain value that can be recorded.

    Raises: ValueError if a text in it holds half a character.
    """
    json.dumps(value, ensure_ascii=False).encode()
    return value


def to_yaml(value: Any) -> str:
    """Return a plain value as YAML that `from_yaml` reads."""
    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=110)
    return text


def line_of(text: str, where: Sequence[str | int]) -> int | None:
    """Return the line, from 1, in which a value of a YAML or JSON document begins: the nearest that is there.

    `where` is the way to it: keys and places. None: the document says nothing of lines.
    """
    try:
        node = yaml.compose(text, _Loader)
    except Exception:  # JSON that is no YAML
        return None
    for step in where:
        if isinstance(node, yaml.MappingNode):
            inner = next((value for key, value in node.value if key.value == step), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            inner = node.value[step]
        else:
            inner = None
        if inner is None:
            break
        node = inner
    return node.start_mark.line + 1 if node is not None else None
