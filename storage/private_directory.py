"""The state directory: private to its owner, because whoever reads it reads everything."""

from pathlib import Path
from typing import Final

_PRIVATE: Final = 0o700


def make_private_directory(path: Path, *, is_ours: bool) -> None:
    """Create a directory that only its owner can read.

    Args:
        path: The directory.
        is_ours: Whether one that exists already becomes private, too. One that the user has chosen
            may have other uses.

    Raises:
        OSError: It cannot be created or changed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_dir():
        path.mkdir(mode=_PRIVATE)
    elif is_ours:
        path.chmod(_PRIVATE)
