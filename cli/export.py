"""Writes answers to files for other programs."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from errors import InvalidInput

SUFFIXES: Final = (".csv", ".parquet")


@contextlib.contextmanager
def explain_write_errors(option: str, path: Path) -> Iterator[None]:
    """Turn an error while writing a file into one sentence.

    Args:
        option: The option that names the file, such as `--output`.
        path: The file.

    Raises:
        InvalidInput: The file cannot be written.
    """
    try:
        yield
    except OSError as error:
        reason = (
            "there is no such directory"
            if isinstance(error, FileNotFoundError)
            else (error.strerror or str(error))
        )
        raise InvalidInput(
            f"{option}: {path} cannot be written: {reason}.", field=option.lstrip("-")
        ) from error


def write_table(rows: Sequence[BaseModel], path: Path) -> None:
    """Write models of one kind as rows of a CSV or Parquet file, by the suffix of the path.

    A cell of a CSV file holds no list, so its texts are joined by commas.
    """
    # Takes half a second to load, which no other command needs.
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import csv, parquet  # noqa: PLC0415

    values = [row.model_dump(mode="json") for row in rows]
    if path.suffix == ".csv":
        cells = [{name: _join(value) for name, value in row.items()} for row in values]
        csv.write_csv(pa.Table.from_pylist(cells), path)
    else:
        parquet.write_table(pa.Table.from_pylist(values), path)


def _join(value: object) -> object:
    return ", ".join(map(str, value)) if isinstance(value, list) else value
