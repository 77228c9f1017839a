import asyncio
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from errors import ArtifactsUnavailable
from quant.messages.artifacts import Artifact
from storage.artifacts import ArtifactStore
from tests.support.helpers import free_port
from tests.support.outside.silence import silent_http_server

ODD_IDS = [
    "../../x",
    "..",
    ".",
    "",
    "/etc/passwd",
    "a/b",
    "a\\b",
    "x" * 10_000,
    "日本語",
    "with space",
    "nul\0",
    ".hidden",
]


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(str(tmp_path / "store"))


def test_what_was_written_is_read(store: ArtifactStore) -> None:
    artifacts = store.open("op_1.training")
    artifacts.write(Artifact.MODEL, b"first")
    artifacts.write(Artifact.MODEL, b"second")
    assert artifacts.read(Artifact.MODEL) == b"second"
    assert Path(artifacts.location(Artifact.MODEL)).read_bytes() == b"second"


def test_what_was_never_written_is_none(store: ArtifactStore) -> None:
    assert store.open("op_1").read(Artifact.MODEL) is None


def test_operations_do_not_see_one_another(store: ArtifactStore) -> None:
    store.open("op_1").write(Artifact.MODEL, b"one")
    assert store.open("op_2").read(Artifact.MODEL) is None


@pytest.mark.parametrize("operation_id", ODD_IDS, ids=lambda value: repr(value)[:20])
def test_no_id_leads_out_of_the_store(
    store: ArtifactStore, tmp_path: Path, operation_id: str
) -> None:
    store.open(operation_id).write(Artifact.MODEL, b"mine")
    assert store.open(operation_id).read(Artifact.MODEL) == b"mine"
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 1
    assert files[0].parent.parent == tmp_path / "store"


def test_odd_ids_have_folders_of_their_own(store: ArtifactStore) -> None:
    for operation_id in ODD_IDS:
        store.open(operation_id).write(Artifact.MODEL, operation_id.encode())
    for operation_id in ODD_IDS:
        assert store.open(operation_id).read(Artifact.MODEL) == operation_id.encode()


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".part", "x" * 300])
def test_a_name_that_is_no_file_name_is_refused(store: ArtifactStore, name: str) -> None:
    with pytest.raises(ValueError, match="not an artifact name"):
        store.open("op_1").write(name, b"")


def test_a_write_that_fails_leaves_the_old_content_and_nothing_else(
    store: ArtifactStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    artifacts = store.open("op_1")
    artifacts.write(Artifact.MODEL, b"old")

    def full(_descriptor: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ArtifactsUnavailable, match=r"model\.txt cannot be written: no space left"):
        artifacts.write(Artifact.MODEL, b"new")
    assert artifacts.read(Artifact.MODEL) == b"old"
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_only_what_a_dead_process_was_writing_is_discarded(
    store: ArtifactStore, tmp_path: Path
) -> None:
    artifacts = store.open("op_1")
    artifacts.write(Artifact.MODEL, b"done")
    folder = tmp_path / "store" / "op_1"
    (folder / ".model.txt.11.part").write_bytes(b"of the dead")
    (folder / ".model.txt.12.part").write_bytes(b"of the living")
    artifacts.discard_unfinished(11)
    assert sorted(path.name for path in folder.iterdir()) == [".model.txt.12.part", Artifact.MODEL]


def test_a_directory_that_hangs_is_given_up(tmp_path: Path) -> None:
    impatient = ArtifactStore(str(tmp_path), seconds=0.2).open("op_1")
    place = Path(impatient.location(Artifact.MODEL))
    place.parent.mkdir()
    # To open it takes as long as nobody writes into it, as on a mounted disk that is away.
    os.mkfifo(place)
    with pytest.raises(ArtifactsUnavailable, match="in time"):
        impatient.read(Artifact.MODEL)
    with place.open("wb"):
        pass


def test_a_store_in_the_network_that_falls_silent_is_given_up(tmp_path: Path) -> None:
    with silent_http_server(tmp_path) as port:
        artifacts = ArtifactStore(f"webhdfs://127.0.0.1:{port}/store", seconds=0.5).open("x")
        with pytest.raises(ArtifactsUnavailable, match="in time"):
            artifacts.read(Artifact.MODEL)
        with pytest.raises(ArtifactsUnavailable, match="in time"):
            artifacts.write(Artifact.MODEL, b"content")


def test_a_store_in_the_network_that_is_away_is_unavailable_whatever_its_driver_raises() -> None:
    store = ArtifactStore(f"webhdfs://127.0.0.1:{free_port()}/store")
    with pytest.raises(ArtifactsUnavailable, match="cannot be listed"):
        asyncio.run(store.list())
    artifacts = store.open("x")
    with pytest.raises(ArtifactsUnavailable, match="cannot be read"):
        artifacts.read(Artifact.MODEL)
    with pytest.raises(ArtifactsUnavailable, match="cannot be written"):
        artifacts.write(Artifact.MODEL, b"content")


def test_a_folder_is_cleared_but_for_what_is_kept(store: ArtifactStore, tmp_path: Path) -> None:
    artifacts = store.open("op_1")
    for name in (Artifact.MODEL, Artifact.TRIALS, Artifact.DELETED):
        artifacts.write(name, b"content")
    (tmp_path / "store" / "op_1" / ".model.txt.11.part").write_bytes(b"of the dead")
    store.open("op_2").write(Artifact.MODEL, b"other")
    listed = asyncio.run(artifacts.list())
    assert {name: info.size for name, info in listed.items()} == {
        Artifact.MODEL: 7,
        Artifact.TRIALS: 7,
        Artifact.DELETED: 7,
    }
    asyncio.run(artifacts.clear(keep={Artifact.DELETED}))
    assert [path.name for path in (tmp_path / "store" / "op_1").iterdir()] == [Artifact.DELETED]
    asyncio.run(artifacts.clear())
    assert [path.name for path in (tmp_path / "store").iterdir()] == ["op_2"]
    asyncio.run(artifacts.clear())
    assert asyncio.run(artifacts.list()) == {}


def test_what_a_link_leads_to_is_neither_listed_nor_deleted(
    store: ArtifactStore, tmp_path: Path
) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "model.txt").write_bytes(b"mine")
    store.open("op_2").write(Artifact.MODEL, b"content")
    (tmp_path / "store" / "op_1").symlink_to(precious, target_is_directory=True)
    (tmp_path / "store" / "op_2" / "trials.json").symlink_to(precious / "model.txt")
    linked = store.open("op_1")
    for call in (linked.list(), linked.clear()):
        with pytest.raises(ArtifactsUnavailable, match="link"):
            asyncio.run(call)
    asyncio.run(store.open("op_2").clear())
    assert (precious / "model.txt").read_bytes() == b"mine"


@pytest.mark.parametrize("where", ["directory", "memory"])
def test_all_artifacts_are_listed_by_operation(tmp_path: Path, where: str) -> None:
    url = str(tmp_path) if where == "directory" else f"memory://{tmp_path.name}/store"
    store = ArtifactStore(url)
    assert asyncio.run(store.list()) == {}
    began = datetime.now(UTC) - timedelta(seconds=5)
    for operation_id in ("op_1", "op_1.training", "an id/that is hidden"):
        store.open(operation_id).write(Artifact.MODEL, b"content")
    listed = asyncio.run(store.list())
    assert sorted(listed) == ["op_1", "op_1.training"]
    info = listed["op_1"][Artifact.MODEL]
    assert (info.size, began < info.modified_at < datetime.now(UTC) + timedelta(seconds=5)) == (
        7,
        True,
    )
    asyncio.run(store.open("op_1").clear())
    assert sorted(asyncio.run(store.list())) == ["op_1.training"]
