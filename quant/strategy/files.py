"""Strategy files: each holds a `StrategySpec` as YAML and is named `<name>.yaml`.

Files come from the user's strategy directory and from the examples in `quant/strategy/examples`. A
file in the user's directory overrides the example of the same name.
"""

from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from errors import InvalidInput, UnknownStrategy
from quant.bars.directory import list_files
from quant.messages.base import FrozenModel
from quant.messages.strategy import StrategyName, StrategySpec
from quant.strategy.parser import MAX_BYTES, parse_strategy
from quant.suggestions import suggest
from quant.wording import join_names

EXAMPLES_DIR: Final = Path(__file__).parent / "examples"
SUFFIXES: Final = frozenset({".yaml", ".yml"})

_NAME: TypeAdapter[str] = TypeAdapter(StrategyName)


class StrategyEntry(FrozenModel):
    """A strategy file."""

    name: str
    built_in: bool
    description: str = ""
    invalid: str | None = None
    """Why the file cannot be used; None if it can."""


def list_strategies(strategy_dir: Path | None) -> list[StrategyEntry]:
    """List all strategy files by name. An invalid one carries the reason."""
    entries = []
    for name, path in sorted(_map_files(strategy_dir).items()):
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


def load_strategy(name: str, strategy_dir: Path | None) -> StrategySpec:
    """Read the strategy of this name.

    Raises:
        UnknownStrategy: No file has this name; the message lists the names that exist.
        InvalidInput: The file is not a valid strategy.
    """
    files = _map_files(strategy_dir)
    if name not in files:
        raise UnknownStrategy(
            f"There is no strategy {name!r}{suggest(name, files)}. "
            f"Known strategies: {join_names(files.keys())}.",
            field="strategy",
        )
    return _read(name, files[name])


def _read(name: str, path: Path) -> StrategySpec:
    """Read a file. Every error message starts with its name."""
    try:
        with path.open("rb") as file:
            spec = parse_strategy(file.read(MAX_BYTES + 1))
    except InvalidInput as error:
        raise InvalidInput(
            f"{path.name}: {error.message}", field=error.field, problems=error.problems
        ) from error
    except OSError as error:
        raise InvalidInput(
            f"{path.name} cannot be read: {error.strerror}.", field="strategy"
        ) from error
    if spec.name != name:
        raise InvalidInput(
            f"{path.name}: name: must be {name}, as the file is called.", field="name"
        )
    return spec


def _map_files(strategy_dir: Path | None) -> dict[str, Path]:
    """Map each name to its file. The user's directory comes last and wins."""
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
