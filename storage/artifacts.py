"""The artifact store: large results by name, in a local directory or any fsspec file system."""

import hashlib
import os
import re
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fsspec
from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem

from errors import ArtifactsUnavailable
from storage.bounded_calls import BoundedCalls

# The largest artifact is a few megabytes.
_SECONDS = 60.0
_THREADS = 16

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,199}")
_HASH = re.compile(r"[0-9a-f]{64}")
# What file systems call the time at which a file was written.
_TIMES = ("mtime", "LastModified", "last_modified", "created")


class ArtifactStore:
    """All artifacts of one installation.

    Args:
        url: A local path, or a URL for fsspec such as `s3://bucket/prefix`.
        seconds: The longest time to read or to write one artifact.
    """

    def __init__(self, url: str, *, seconds: float = _SECONDS) -> None:
        self._fs, self._root = fsspec.url_to_fs(url)
        # A mounted directory has no time limits, and neither have some libraries behind fsspec.
        self._calls = BoundedCalls(seconds=seconds, at_once=_THREADS, unavailable=_time_out)

    def open(self, operation_id: str) -> "OperationArtifacts":
        """Open the artifacts of one operation.

        The client that starts a workflow may choose its id. An id that is not a plain file name is
        replaced by its hash, so that no id leads out of the store.
        """
        plain = _PLAIN_NAME.fullmatch(operation_id) is not None
        folder = operation_id if plain else hashlib.sha256(operation_id.encode()).hexdigest()
        return OperationArtifacts(self._fs, f"{self._root}/{folder}", self._calls)

    async def list(self) -> "dict[str, dict[str, ArtifactInfo]]":
        """Return all artifacts by operation id and name.

        An operation whose id is not a plain file name is left out: nothing tells its id.

        Raises:
            ArtifactsUnavailable: The store does not answer.
        """
        return await self._calls.ask(self._list)

    def _list(self) -> "dict[str, dict[str, ArtifactInfo]]":
        found: dict[str, dict[str, ArtifactInfo]] = {}
        with _translate_errors("store cannot be listed"):
            self._fs.invalidate_cache()
            for path, known in self._find_files().items():
                folder, name = path.rsplit("/", 2)[-2:]
                if f"{self._root}/{folder}/{name}" == path and not _HASH.fullmatch(folder):
                    info = _describe_file(self._fs, path, known)
                    found.setdefault(folder, {})[name] = info
        return found

    def _find_files(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the files of all folders by their path.

        An object store finds them with few requests. The `find` of other file systems leaves out
        what cannot be listed, so that a store which is away would be an empty one.
        """
        if type(self._fs).find is not AbstractFileSystem.find:
            return dict(self._fs.find(self._root, maxdepth=2, detail=True))
        return {
            each["name"]: each
            for folder in _list_entries(self._fs, self._root)
            if folder["type"] == "directory"
            for each in _list_entries(self._fs, folder["name"])
            if each["type"] != "directory"
        }


@dataclass(frozen=True)
class ArtifactInfo:
    """What the store knows about an artifact without reading it."""

    size: int
    """In bytes."""
    modified_at: datetime


class OperationArtifacts:
    """The artifacts of one operation; a `quant.messages.artifacts.Workspace`."""

    def __init__(self, fs: AbstractFileSystem, folder: str, calls: BoundedCalls) -> None:
        self._fs = fs
        self._folder = folder
        self._calls = calls

    def location(self, name: str) -> str:
        """Return the path or URL of the artifact, for people."""
        return str(self._fs.unstrip_protocol(self._locate(name))).removeprefix("file://")

    def write(self, name: str, content: bytes) -> None:
        """Store an artifact. After a crash or a power cut it exists in full or not at all.

        Raises:
            ArtifactsUnavailable: The store does not answer, or its disk is full.
        """
        self._calls.call(self._write, name, content)

    def read(self, name: str) -> bytes | None:
        """Return the artifact, or None if it was never written.

        Raises:
            ArtifactsUnavailable: The store does not answer.
        """
        return self._calls.call(self._read, name)

    async def store(self, name: str, content: bytes) -> None:
        """Store an artifact, as `write` does, without blocking the event loop.

        Raises:
            ArtifactsUnavailable: The store does not answer, or its disk is full.
        """
        await self._calls.ask(self._write, name, content)

    async def fetch(self, name: str) -> bytes | None:
        """Return an artifact, as `read` does, without blocking the event loop.

        Raises:
            ArtifactsUnavailable: The store does not answer.
        """
        return await self._calls.ask(self._read, name)

    async def describe(self, name: str) -> ArtifactInfo | None:
        """Return what the store knows about an artifact, or None if it was never written.

        Raises:
            ArtifactsUnavailable: The store does not answer.
        """
        return await self._calls.ask(self._describe, name)

    async def delete(self, name: str) -> None:
        """Remove an artifact, if it exists.

        Raises:
            ArtifactsUnavailable: The store does not answer.
        """
        await self._calls.ask(self._delete, name)

    async def list(self) -> dict[str, ArtifactInfo]:
        """Return what the store knows about every artifact, by name.

        Raises:
            ArtifactsUnavailable: The store does not answer.
        """
        return await self._calls.ask(self._list)

    async def clear(self, keep: Collection[str] = ()) -> None:
        """Remove all artifacts but these, and what a process has left unfinished.

        Raises:
            ArtifactsUnavailable: The store does not answer. Some may be gone already.
        """
        await self._calls.ask(self._clear, keep)

    def discard_unfinished(self, pid: int) -> None:
        """Remove files that a killed process was still writing."""
        if isinstance(self._fs, LocalFileSystem):
            for leftover in Path(self._folder).glob(f".*.{pid}.part"):
                leftover.unlink(missing_ok=True)

    def _write(self, name: str, content: bytes) -> None:
        path = self._locate(name)
        with _translate_errors(f"{name} cannot be written"):
            if isinstance(self._fs, LocalFileSystem):
                _write_durably(Path(path), content)
            else:
                # Object stores make an upload visible only when it is complete.
                self._fs.pipe_file(path, content)

    def _read(self, name: str) -> bytes | None:
        path = self._locate(name)
        with _translate_errors(f"{name} cannot be read"):
            try:
                return bytes(self._fs.cat_file(path))
            except FileNotFoundError:
                return None

    def _describe(self, name: str) -> ArtifactInfo | None:
        path = self._locate(name)
        with _translate_errors(f"{name} cannot be read"):
            try:
                return ArtifactInfo(int(self._fs.size(path) or 0), self._fs.modified(path))
            except FileNotFoundError:
                return None

    def _delete(self, name: str) -> None:
        path = self._locate(name)
        with _translate_errors(f"{name} cannot be deleted"), suppress(FileNotFoundError):
            self._fs.rm_file(path)

    def _list(self) -> dict[str, ArtifactInfo]:
        return {
            name: _describe_file(self._fs, f"{self._folder}/{name}", known)
            for name, known in self._list_files().items()
            if _PLAIN_NAME.fullmatch(name)
        }

    def _clear(self, keep: Collection[str]) -> None:
        names = self._list_files()
        with _translate_errors("folder cannot be cleared"):
            for name in names.keys() - set(keep):
                with suppress(FileNotFoundError):
                    self._fs.rm_file(f"{self._folder}/{name}")
        if isinstance(self._fs, LocalFileSystem):
            with suppress(OSError):  # Something is left in it, or it never existed.
                Path(self._folder).rmdir()

    def _list_files(self) -> dict[str, Mapping[str, Any]]:
        """Return the files of this folder by name. What is in a linked folder belongs to others."""
        if isinstance(self._fs, LocalFileSystem) and Path(self._folder).is_symlink():
            raise ArtifactsUnavailable(f"{self._folder} is a link, and leads out of the store.")
        with _translate_errors("folder cannot be listed"):
            self._fs.invalidate_cache(self._folder)
            entries = _list_entries(self._fs, self._folder)
        return {
            each["name"].rsplit("/", 1)[-1]: each for each in entries if each["type"] != "directory"
        }

    def _locate(self, name: str) -> str:
        if not _PLAIN_NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not an artifact name")
        return f"{self._folder}/{name}"


def _list_entries(fs: AbstractFileSystem, folder: str) -> Sequence[Mapping[str, Any]]:
    """Return what is in a folder; nothing if it does not exist, or was removed meanwhile."""
    try:
        return list(fs.ls(folder, detail=True))
    except FileNotFoundError:
        return []


def _describe_file(fs: AbstractFileSystem, path: str, known: Mapping[str, Any]) -> ArtifactInfo:
    """Return what a listing says about a file. Another request asks for what it does not say."""
    written = next((known[name] for name in _TIMES if known.get(name)), None) or fs.modified(path)
    if not isinstance(written, datetime):
        written = datetime.fromtimestamp(written, UTC)
    return ArtifactInfo(int(known["size"] or 0), written)


def _time_out() -> ArtifactsUnavailable:
    return ArtifactsUnavailable("The artifact store does not answer in time.")


@contextmanager
def _translate_errors(failing: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # Each driver of fsspec has its own errors.
        reason = getattr(error, "strerror", None) or error
        raise ArtifactsUnavailable(f"The artifact {failing}: {reason}") from error


def _write_durably(path: Path, content: bytes) -> None:
    """Write to a file beside the target, force it to disk, then rename it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Two attempts at the same step, or two requests, must not write to the same file.
    unfinished = path.with_name(f".{path.name}.{threading.get_ident()}.{os.getpid()}.part")
    try:
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
