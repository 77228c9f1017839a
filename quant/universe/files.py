"""Lists of symbols that people keep in files: `<name>.yaml` in the directory of universes.

name: dax
description: The forty largest of Frankfurt
symbols: [ADS, AIR, ALV]
"""

from pathlib import Path
from typing import Final

from pydantic import Field, TypeAdapter, ValidationError

from errors import InvalidInput, UnknownUniverse
from quant.bars.directory import list_files
from quant.messages.base import FrozenModel
from quant.messages.data import MOST_INSTRUMENTS, Symbol, UniverseName
from quant.problems import list_problems
from quant.strict_yaml import InvalidYaml, read_yaml
from quant.suggestions import suggest
from quant.wording import join_names

SUFFIXES: Final = frozenset({".yaml", ".yml"})
_MAX_BYTES: Final = 64 * 1024
_NAME: TypeAdapter[str] = TypeAdapter(UniverseName)


class UniverseFile(FrozenModel):
    """A list of symbols."""

    name: UniverseName = Field(description="Name of the file without `.yaml`")
    description: str = Field("", max_length=2000, description="For people; has no effect")
    symbols: tuple[Symbol, ...] = Field(min_length=2, max_length=MOST_INSTRUMENTS)


def read_universe(name: str, directory: Path | None) -> UniverseFile:
    """Return the list of symbols of this name.

    Raises:
        UnknownUniverse: No file has this name; the message lists the names that exist.
        InvalidInput: The file is not a valid list.
    """
    files = {path.stem: path for path in list_files(directory, SUFFIXES) if _is_name(path.stem)}
    if name not in files:
        known = f"Known universes: {join_names(files)}." if files else "There are none."
        raise UnknownUniverse(
            f"universe: There is no {name!r}{suggest(name, files)}. {known}", field="universe"
        )
    path = files[name]
    try:
        with path.open("rb") as file:
            content = read_yaml(file.read(_MAX_BYTES + 1), _MAX_BYTES)
        found = UniverseFile.model_validate(content)
    except OSError as error:
        raise InvalidInput(
            f"universe: {path.name} cannot be read: {error.strerror}.", field="universe"
        ) from error
    except InvalidYaml as error:
        raise InvalidInput(f"universe: {path.name}: {error}", field="universe") from error
    except ValidationError as error:
        place, said = list_problems(error, UniverseFile)[0]
        raise InvalidInput(
            f"universe: {path.name}, {place or 'top level'}: {said}.", field="universe"
        ) from error
    if found.name != name:
        raise InvalidInput(
            f"universe: {path.name}: name: must be {name}, as the file is called.", field="universe"
        )
    return found


def _is_name(name: str) -> bool:
    try:
        _NAME.validate_python(name)
    except ValidationError:
        return False
    return True
