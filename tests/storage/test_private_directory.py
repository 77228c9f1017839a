"""The state directory is its owner's alone."""

import stat
from pathlib import Path

from storage.private_directory import make_private_directory


def read_mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_directory_is_private(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "var"
    make_private_directory(path, is_ours=False)
    assert read_mode(path) == 0o700


def test_an_older_one_becomes_private_only_if_it_is_ours(tmp_path: Path) -> None:
    path = tmp_path / "var"
    path.mkdir(mode=0o755)
    make_private_directory(path, is_ours=False)
    assert read_mode(path) == 0o755
    make_private_directory(path, is_ours=True)
    assert read_mode(path) == 0o700
