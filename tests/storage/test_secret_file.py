"""A file of secrets stays readable for its owner, and for nobody else."""

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from errors import StartupError
from quant.messages.base import FrozenModel
from storage.secret_file import SecretFile

THE_SERVICE = 10001
SOMEBODY = 10002

for_root = pytest.mark.skipif(os.getuid() != 0, reason="only root may give files away")


class Content(FrozenModel):
    word: str


@pytest.fixture
def file() -> Iterator[SecretFile[Content]]:
    # Not in `tmp_path`, because other users cannot enter it.
    with tempfile.TemporaryDirectory(prefix="ktrdr-secrets-") as directory:
        Path(directory).chmod(0o777)
        yield SecretFile(Path(directory) / "keys.json", Content, "KTRDR_KEYS")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_is_for_its_owner_only(file: SecretFile[Content]) -> None:
    file.write(Content(word="first"))
    assert mode(file.path) == 0o600


def test_a_file_that_is_replaced_keeps_its_mode(file: SecretFile[Content]) -> None:
    file.write(Content(word="first"))
    file.path.chmod(0o640)
    file.write(Content(word="second"))
    assert mode(file.path) == 0o640
    assert file.read().word == "second"


@for_root
def test_a_file_that_is_replaced_keeps_its_owner(file: SecretFile[Content]) -> None:
    file.write(Content(word="first"))
    os.chown(file.path, THE_SERVICE, THE_SERVICE)
    file.write(Content(word="second"))
    found = file.path.stat()
    assert (found.st_uid, found.st_gid, mode(file.path)) == (THE_SERVICE, THE_SERVICE, 0o600)
    os.seteuid(THE_SERVICE)
    try:
        assert file.read().word == "second"
    finally:
        os.seteuid(0)


@for_root
def test_what_cannot_be_given_back_is_left_as_it_was(file: SecretFile[Content]) -> None:
    file.write(Content(word="first"))
    os.chown(file.path, THE_SERVICE, THE_SERVICE)
    file.path.chmod(0o644)
    os.seteuid(SOMEBODY)
    try:
        with pytest.raises(StartupError, match="belongs to user 10001"):
            file.write(Content(word="second"))
    finally:
        os.seteuid(0)
    assert file.read().word == "first"
    assert list(file.path.parent.iterdir()) == [file.path]


def test_a_file_that_cannot_be_written_is_named_with_its_setting(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    blocked = SecretFile(in_the_way / "secrets.json", Content, "KTRDR_SECRETS")
    with pytest.raises(StartupError, match=r"^KTRDR_SECRETS: .*secrets\.json cannot be written: "):
        blocked.write(Content(word="first"))
