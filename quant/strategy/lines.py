"""Finds the lines of a strategy file that its fields are in."""

from collections.abc import Sequence

import yaml


def find_lines(text: bytes, fields: Sequence[str]) -> list[int]:
    """Return a line for each field, counted from 1.

    Args:
        text: YAML that has been read strictly: it has no aliases and is not deep.
        fields: Paths with dots, such as `features.0.period`. A field that is missing is in the line
            in which its mapping begins.
    """
    root = yaml.compose(text, Loader=yaml.CSafeLoader)
    return [_find(root, field) + 1 if root else 1 for field in fields]


def _find(node: yaml.Node, path: str) -> int:
    line: int = node.start_mark.line
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            # A key may have dots itself.
            if path == key.value:
                return int(key.start_mark.line)
            if path.startswith(f"{key.value}."):
                return _find(value, path.removeprefix(f"{key.value}."))
    elif isinstance(node, yaml.SequenceNode):
        number, _, rest = path.partition(".")
        if number.isdecimal() and int(number) < len(node.value):
            return _find(node.value[int(number)], rest)
    return line
