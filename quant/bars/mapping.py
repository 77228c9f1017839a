"""How to read the user's files: `mapping.yaml` in the data directory.

    AAPL_daily.csv:
      symbol: AAPL
      timezone: America/New_York
      columns: {timestamp: Date, close: Adj Close}
    "*.csv":
      delimiter: ";"

The first entry whose pattern matches the name of a file counts. Omitted fields have their defaults.
"""

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from errors import InvalidData
from quant.messages.base import FrozenModel
from quant.messages.data import Symbol, Timeframe
from quant.problems import list_problems
from quant.strict_yaml import InvalidYaml, read_yaml

MAPPING_FILE: Final = "mapping.yaml"
_MAX_BYTES: Final = 256 * 1024

Column = Literal["timestamp", "open", "high", "low", "close", "volume"]


def _validate_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a time zone such as America/New_York") from None
    return name


TimeZone = Annotated[str, AfterValidator(_validate_zone)]


class FileMapping(FrozenModel):
    """How to read one file."""

    symbol: Symbol | None = Field(None, description="Symbol; from the file name if absent")
    timeframe: Timeframe | None = Field(None, description="Timeframe; from the file name if absent")
    timezone: TimeZone = Field(
        "UTC",
        description="Time zone of timestamps without an offset; bars of a day and longer keep "
        "their local date",
    )
    columns: dict[Column, str] = Field(
        default_factory=dict, description="Name in the file, for each column with another name"
    )
    time_format: str | None = Field(
        None, max_length=64, description="strptime format; ISO 8601 if absent"
    )
    delimiter: Literal[",", ";", "\t", "|"] = Field(",", description="CSV field delimiter")
    decimal: Literal[".", ","] = Field(".", description="CSV decimal mark")


_MAPPINGS: TypeAdapter[dict[str, FileMapping]] = TypeAdapter(dict[str, FileMapping])


def read_mappings(data_dir: Path | None) -> dict[str, FileMapping]:
    """Return the mappings of a data directory by file pattern, in the order of the file.

    Raises:
        InvalidData: `mapping.yaml` is not valid; the message says where.
    """
    path = data_dir and data_dir / MAPPING_FILE
    if path is None or not path.is_file():
        return {}
    try:
        with path.open("rb") as file:
            content = read_yaml(file.read(_MAX_BYTES + 1), _MAX_BYTES)
        return _MAPPINGS.validate_python(content or {})
    except OSError as error:
        raise InvalidData(
            f"{MAPPING_FILE} cannot be read: {error.strerror}.", field="symbol"
        ) from None
    except InvalidYaml as error:
        raise InvalidData(f"{MAPPING_FILE}: {error}", field="symbol") from None
    except ValidationError as error:
        place, said = list_problems(error)[0]
        raise InvalidData(
            f"{MAPPING_FILE}, {place or 'top level'}: {said}.", field="symbol"
        ) from None


def find_mapping(name: str, mappings: dict[str, FileMapping]) -> FileMapping:
    """Return how to read the file of this name."""
    pattern = find_pattern(name, mappings)
    return FileMapping() if pattern is None else mappings[pattern]


def find_pattern(name: str, mappings: dict[str, FileMapping]) -> str | None:
    """Return the first pattern that matches this file name; None if none does."""
    return next((pattern for pattern in mappings if fnmatchcase(name, pattern)), None)
