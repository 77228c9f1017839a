"""Files in a user's directory, listed so that nothing outside it can be reached.

Names from requests are never joined to a path: they are looked up in this listing.
"""

from collections.abc import Collection
from pathlib import Path


def files_inside(directory: Path | None, suffixes: Collection[str]) -> list[Path]:
    """List the regular files directly in a directory, sorted by name.

    A symbolic link counts only if its target lies in the directory too. Pipes, devices and broken
    links are left out, so that reading a listed file never blocks.

    Args:
        directory: None or a path that does not exist lists nothing.
        suffixes: Accepted file name extensions in lower case, with the dot.
    """
    if directory is None or not directory.is_dir():
        return []
    root = directory.resolve()
    return sorted(
        path
        for path in directory.iterdir()
        if path.suffix.lower() in suffixes
        and path.is_file()
        and path.resolve().is_relative_to(root)
    )


def shorten(names: Collection[str], limit: int = 10) -> str:
    """Join names for a message, at most `limit` of them."""
    shown = ", ".join(sorted(names)[:limit])
    hidden = len(names) - limit
    return f"{shown} and {hidden} more" if hidden > 0 else shown
