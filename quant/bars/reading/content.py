"""Reads the content of a user's file, of bounded size."""

from pathlib import Path
from typing import Final

from errors import InvalidData

MAX_FILE_BYTES: Final = 256 * 2**20


def read_content(path: Path) -> bytes:
    """Return the content of a file.

    Raises:
        InvalidData: The file is too large, empty or not readable.
    """
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise InvalidData(
                f"{path.name} has {size:,} bytes; at most {MAX_FILE_BYTES:,} are read.",
                field="symbol",
            )
        content = path.read_bytes()
    except OSError as error:
        raise InvalidData(
            f"{path.name} cannot be read: {error.strerror}.", field="symbol"
        ) from error
    if not content.strip():
        raise InvalidData(f"{path.name} is empty.", field="symbol")
    return content
