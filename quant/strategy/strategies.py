"""Strategy files: a `StrategySpec` as YAML, named `<name>.yaml`.

Files come from the user's strategy directory and from the examples in `quant/strategy/examples`. A
file in the user's directory overrides an example of the same name.

The API imports this module; it must stay free of numerical libraries.
"""

import json
from collections.abc import Hashable
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import TypeAdapter, ValidationError

from errors import InvalidInput, UnknownStrategy
from quant.bars.directory import list_files
from quant.messages.base import FrozenModel
from quant.messages.strategy import StrategyName, StrategySpec
from quant.problems import list_problems
from quant.wording import join_names

EXAMPLES_DIR: Final = Path(__file__).parent / "examples"
SUFFIXES: Final = frozenset({".yaml", ".yml"})
MAX_BYTES: Final = 64 * 1024
MAX_DEPTH: Final = 16
_PROBLEMS_SHOWN: Final = 20

_NAME: TypeAdapter[str] = TypeAdapter(StrategyName)


class StrategyEntry(FrozenModel):
    """A strategy file that exists."""

    name: str
    built_in: bool
    description: str = ""
    invalid: str | None = None
    """Why the file cannot be used; None if it can."""


def available(strategy_dir: Path | None) -> list[StrategyEntry]:
    """List all strategy files by name, unusable ones with the reason."""
    entries = []
    for name, path in sorted(_files(strategy_dir).items()):
        built_in = path.parent == EXAMPLES_DIR
        try:
            spec = _read(name, path)
        except InvalidInput as error:
            entries.append(StrategyEntry(name=name, built_in=built_in, invalid=error.message))
        else:
            entries.append(
                StrategyEntry(name=name, built_in=built_in, description=spec.description)
            )
    return entries


def load(name: str, strategy_dir: Path | None) -> StrategySpec:
    """Read the strategy of this name.

    Raises:
        UnknownStrategy: No such file; the message lists those that exist.
        InvalidInput: The file is not a valid strategy.
    """
    files = _files(strategy_dir)
    if name not in files:
        raise UnknownStrategy(
            f"There is no strategy {name!r}. Known strategies: {join_names(files.keys())}.",
            field="strategy",
        )
    return _read(name, files[name])


def parse(text: bytes | str) -> StrategySpec:
    """Parse the content of a strategy file.

    Raises:
        InvalidInput: Not UTF-8, not YAML, too large, or not a strategy; `field` is the path of
            the invalid field, such as `features.0.period`.
    """
    content = _load_yaml(_decode(text))
    if not isinstance(content, dict):
        raise InvalidInput(
            "A strategy must be a mapping with name, features and so on.", field="strategy"
        )
    return checked(content)


def checked(content: dict[Any, Any]) -> StrategySpec:
    """Validate the parsed content of a strategy file.

    Raises:
        InvalidInput: Not a strategy; lists all problems, and `field` is the path of the first.
    """
    try:
        # As JSON, because strict validation of Python objects would refuse lists as tuples.
        plain = json.dumps(content, default=str, ensure_ascii=False).encode()
        return StrategySpec.model_validate_json(plain, strict=True)
    except (TypeError, UnicodeEncodeError) as error:
        raise InvalidInput(
            "All field names and texts must be plain text.", field="strategy"
        ) from error
    except ValidationError as error:
        found = [(field or "strategy", said) for field, said in list_problems(error)]
        raise InvalidInput(
            "; ".join(f"{field}: {said}" for field, said in found[:_PROBLEMS_SHOWN]),
            field=found[0][0],
        ) from error


class _StrictLoader(yaml.SafeLoader):
    """Rejects what plain YAML accepts: repeated keys, aliases, tags and deep nesting."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: yaml.NodeEvent = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            raise _refusal("aliases are not allowed", event.start_mark)
        if getattr(event, "tag", None) is not None:
            raise _refusal("tags are not allowed", event.start_mark)
        if self._depth >= MAX_DEPTH:
            raise _refusal("nested too deeply", event.start_mark)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise _refusal(f"{key.value} appears twice", key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep=deep)


def _refusal(problem: str, mark: Any) -> yaml.MarkedYAMLError:
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


def _read(name: str, path: Path) -> StrategySpec:
    """Read a file; every error message starts with its name."""
    try:
        with path.open("rb") as file:
            spec = parse(file.read(MAX_BYTES + 1))
    except InvalidInput as error:
        raise InvalidInput(f"{path.name}: {error.message}", field=error.field) from error
    except OSError as error:
        raise InvalidInput(
            f"{path.name} cannot be read: {error.strerror}.", field="strategy"
        ) from error
    if spec.name != name:
        raise InvalidInput(
            f"{path.name}: name: must be {name}, as the file is called.", field="name"
        )
    return spec


def _files(strategy_dir: Path | None) -> dict[str, Path]:
    """Map names to files; later directories in this order win."""
    return {
        path.stem: path
        for directory in (EXAMPLES_DIR, strategy_dir)
        for path in list_files(directory, SUFFIXES)
        if _is_name(path.stem)
    }


def _is_name(name: str) -> bool:
    try:
        _NAME.validate_python(name)
    except ValidationError:
        return False
    return True
