"""Reads a strategy from YAML text, strictly."""

import json
from collections.abc import Hashable
from typing import Any, Final

import yaml
from pydantic import ValidationError

from errors import FieldProblem, InvalidInput
from quant.messages.strategy import StrategySpec
from quant.problems import list_problems
from quant.strategy.lines import find_lines

MAX_BYTES: Final = 64 * 1024
MAX_DEPTH: Final = 16
_PROBLEMS_SHOWN: Final = 20


def parse_strategy(text: bytes | str) -> StrategySpec:
    """Parse the content of a strategy file.

    Raises:
        InvalidInput: The text is too large, not UTF-8, not YAML, or not a strategy. `field` is the
            path of the invalid field, such as `features.0.period`.
    """
    decoded = _decode(text)
    content = _load_yaml(decoded)
    if not isinstance(content, dict):
        raise InvalidInput(
            "A strategy must be a mapping with name, features and so on.", field="strategy"
        )
    return validate_strategy(content, decoded)


def validate_strategy(content: dict[Any, Any], text: str | None = None) -> StrategySpec:
    """Validate the parsed content of a strategy file.

    Args:
        content: What the file says.
        text: The file itself, to say in which line each problem is.

    Raises:
        InvalidInput: It is not a strategy. The message lists the problems; `field` is the path of
            the first.
    """
    try:
        # Strict validation takes a list for a tuple in JSON, but not in Python objects.
        plain = json.dumps(content, default=str, ensure_ascii=False).encode()
        return StrategySpec.model_validate_json(plain, strict=True)
    except (TypeError, UnicodeEncodeError) as error:
        raise InvalidInput(
            "All field names and texts must be plain text.", field="strategy"
        ) from error
    except ValidationError as error:
        found = list_problems(error, StrategySpec)[:_PROBLEMS_SHOWN]
        lines = find_lines(text, [field for field, _ in found]) if text else [None] * len(found)
        problems = [
            FieldProblem(field or "strategy", said, line)
            for (field, said), line in zip(found, lines, strict=True)
        ]
        problems.sort(key=lambda each: each.line or 0)
        raise InvalidInput(
            "; ".join(f"{each.field}: {each.message}" for each in problems),
            field=problems[0].field,
            problems=problems,
        ) from error


class _StrictLoader(yaml.SafeLoader):
    """Refuses repeated keys, aliases, tags and deep nesting, all of which YAML allows."""

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
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise _refuse(f"{key.value} appears twice", key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep=deep)


def _refuse(problem: str, mark: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


def _decode(text: bytes | str) -> str:
    content = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    if len(content) > MAX_BYTES:
        raise InvalidInput(
            f"A strategy file has at most {MAX_BYTES:,} bytes; this one has {len(content):,}.",
            field="strategy",
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidInput(f"Line {line} is not valid UTF-8.", field="strategy") from error


def _load_yaml(text: str) -> object:
    try:
        return yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - derived from SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" in line {mark.line + 1}" if mark else ""
        raise InvalidInput(f"Not valid YAML{where}: {error.problem}.", field="strategy") from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # an impossible date or number
        problem = " ".join(str(error).split())
        raise InvalidInput(f"Not valid YAML: {problem}.", field="strategy") from error
