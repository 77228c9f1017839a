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
from typing import Annotated, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

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


def _name_tab(delimiter: object) -> object:
    """Return a tab for the ways in which people write one on a command line."""
    return "\t" if delimiter in ("\\t", "tab") else delimiter


TimeZone = Annotated[str, AfterValidator(_validate_zone)]
Delimiter = Annotated[Literal[",", ";", "\t", "|"], BeforeValidator(_name_tab)]


class FileMapping(FrozenModel):
    """How to read one file."""

    symbol: Symbol | None = Field(None, description="Symbol; from the file name if absent")
    timeframe: Timeframe | None = Field(None, description="Timeframe; from the file name if absent")
    timezone: TimeZone | None = Field(
        None,
        description="Time zone of the market. Times without an offset are in it, UTC if absent; "
        "bars of a day and longer keep their date in it",
    )
    columns: dict[Column, str | None] = Field(
        default_factory=dict,
        description="Name in the file, for each column with another name; Date+Time joins two; "
        "null for a volume that the file does not have",
    )
    header: tuple[str, ...] | None = Field(
        None,
        min_length=1,
        max_length=1000,
        description="Names of the columns of a file that has no header",
    )
    sort: bool = Field(False, description="Whether to sort the rows by time")
    time_format: str | None = Field(
        None, max_length=64, description="strptime format; ISO 8601 or a number if absent"
    )
    delimiter: Delimiter | None = Field(None, description="CSV field delimiter; found if absent")
    decimal: Literal[".", ","] = Field(".", description="CSV decimal mark")
    thousands: Literal[".", ",", "'", " "] | None = Field(
        None, description="Separator of thousands; none if absent"
    )

    @model_validator(mode="after")
    def _require_sense(self) -> Self:
        missing = [column for column, name in self.columns.items() if name is None]
        if missing not in ([], ["volume"]):
            raise ValueError("only the volume may be missing from a file")
        if self.thousands == self.decimal:
            raise ValueError("`thousands` and `decimal` are the same character")
        return self


_MAPPINGS: TypeAdapter[dict[str, FileMapping]] = TypeAdapter(dict[str, FileMapping])
_AS_IT_IS: Final = FileMapping()


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
    return _AS_IT_IS if pattern is None else mappings[pattern]


def find_pattern(name: str, mappings: dict[str, FileMapping]) -> str | None:
    """Return the first pattern that matches this file name; None if none does."""
    return next((pattern for pattern in mappings if fnmatchcase(name, pattern)), None)
