"""The files in a user's directory.

A name from a request is never joined to a path. It is looked up in this listing, so it cannot reach
a file outside the directory.
"""

import os
from collections.abc import Collection
from pathlib import Path


def list_files(directory: Path | None, suffixes: Collection[str]) -> list[Path]:
    """List the regular files of a directory, sorted by name; subdirectories are left out.

    A symbolic link counts only if its target lies in the directory, too. Pipes, devices and broken
    links are left out: reading a listed file never blocks. What may not be read is left out, too.

    Args:
        directory: The directory. None, or one that does not exist, has no files.
        suffixes: The file name extensions to list, in lower case and with the dot.
    """
    try:
        if directory is None or not directory.is_dir():
            return []
        root = directory.resolve()
        with os.scandir(directory) as entries:
            # Looked at before each start: only links are followed, which takes a while.
            names = sorted(
                entry.name
                for entry in entries
                if _get_suffix(entry.name) in suffixes and _is_file_in(root, entry)
            )
    except OSError:
        return []
    return [directory / name for name in names]


def _get_suffix(name: str) -> str:
    stem, dot, suffix = name.rpartition(".")
    return f"{dot}{suffix.lower()}" if stem else ""


def _is_file_in(root: Path, entry: os.DirEntry[str]) -> bool:
    """Whether this is a regular file in the directory. One that cannot be examined is not."""
    try:
        if not entry.is_symlink():
            return entry.is_file()
        path = Path(entry.path)
        return path.is_file() and path.resolve().is_relative_to(root)
    except OSError:
        return False
