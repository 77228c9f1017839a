"""Tables as files for other programs."""

from pathlib import Path
from typing import Any, Final

SUFFIXES: Final = (".csv", ".parquet")


def write_table(rows: list[dict[str, Any]], path: Path) -> None:
    """Write rows with the same keys as CSV or Parquet, by the suffix of the path."""
    # Takes half a second to load, which no other command needs.
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import csv, parquet  # noqa: PLC0415

    table = pa.Table.from_pylist(rows)
    if path.suffix == ".csv":
        csv.write_csv(table, path)
    else:
        parquet.write_table(table, path)
