"""Reads YAML that people write by hand, and only its plain part.

YAML can say in a few bytes what takes gigabytes or a strange type to hold. Here aliases, merge
keys, tags, repeated keys, deep nesting and endless numbers are refused, and a date stays a text.
"""

from collections.abc import Hashable
from typing import Any, Final

import yaml

MAX_DEPTH: Final = 16

# More digits than any number that is meant. Python takes a quadratic time to convert them.
_LONGEST_NUMBER: Final = 40

_MERGE_TAG: Final = "tag:yaml.org,2002:merge"
_TIMESTAMP_TAG: Final = "tag:yaml.org,2002:timestamp"
_NUMBER_TAGS: Final = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


class InvalidYaml(ValueError):
    """A text is not plain YAML. The message is a sentence that says where, and why."""


def read_yaml(content: bytes, max_bytes: int) -> object:
    """Return the content of a file.

    Raises:
        InvalidYaml: It is too large, not UTF-8, or not plain YAML.
    """
    if len(content) > max_bytes:
        raise InvalidYaml(f"It has {len(content):,} bytes; at most {max_bytes:,} bytes are read.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidYaml(f"Line {line} is not valid UTF-8.") from error
    try:
        return yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - derived from SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" in line {mark.line + 1}" if mark else ""
        raise InvalidYaml(f"Not valid YAML{where}: {error.problem}.") from error
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        problem = " ".join(str(error).split())
        raise InvalidYaml(f"Not valid YAML: {problem}.") from error


class _StrictLoader(yaml.SafeLoader):
    """Refuses what is not plain."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - as in the base class
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP_TAG]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: yaml.NodeEvent = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            raise _refuse("aliases are not allowed", event.start_mark)
        if getattr(event, "tag", None) is not None:
            raise _refuse("tags are not allowed", event.start_mark)
        if self._depth >= MAX_DEPTH:
            raise _refuse("nested too deeply", event.start_mark)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        if node is not None and node.tag in _NUMBER_TAGS and len(node.value) > _LONGEST_NUMBER:
            raise _refuse("the number is too long", node.start_mark)
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.tag == _MERGE_TAG:
                raise _refuse("merge keys are not allowed", key.start_mark)
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise _refuse(f"{key.value} appears twice", key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep=deep)


def _refuse(problem: str, mark: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=mark)
