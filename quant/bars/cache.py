"""Keeps bars as they were read, so that a file is parsed once and not by every step of a research.

An entry holds the columns of one file, checked, as an array that every process maps: those who use
it at the same time share its memory. It is found by the content of the file and by how it was read,
so a file that changes in any way is read anew. An entry names the hash of its own bars; one that is
damaged is dropped.

The entries lie in `.parsed` in the data directory, which may be removed at any time. Without the
right to write there, nothing is kept.
"""

import hashlib
import logging
import os
import time
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np

from quant.bars.bars import Bars
from quant.bars.catalog import BarsFile

DIRECTORY: Final = ".parsed"
# Raised when equal files may be read as other bars than before.
_VERSION: Final = 1
_COLUMNS: Final = 6
_MOST_BYTES: Final = 2 * 2**30
_SECONDS_UNTIL_OLD: Final = 3600.0
_SUFFIX: Final = ".npy"
_UNFINISHED: Final = ".part"

_log = logging.getLogger(__name__)


class BarsCache:
    """The entries of one data directory. As a context, it removes at its end what is too much.

    Args:
        data_dir: The data directory; None if there is none, and nothing to keep.
        most_bytes: What all entries may have together. Those that were not used for the longest
            time go first.
    """

    def __init__(self, data_dir: Path | None, most_bytes: int = _MOST_BYTES) -> None:
        self._directory = data_dir and data_dir / DIRECTORY
        self._most_bytes = most_bytes
        self._has_grown = False

    def __enter__(self) -> Self:
        """Return the cache."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the oldest entries if there are too many."""
        if self._has_grown:
            self._prune()

    def find(self, key: str, symbol: str, timeframe: str) -> Bars | None:
        """Return the bars of a file, mapped; None if they are not kept, or are damaged.

        Args:
            key: Of `make_key`.
            symbol: Symbol of the bars.
            timeframe: Length of a bar.
        """
        path = self._entries.get(key)
        bars = None if path is None else _read(path, symbol, timeframe)
        if path is not None and bars is not None:
            _note_use(path)
        return bars

    def keep(self, bars: Bars, key: str) -> None:
        """Keep the bars of a file under the key of `make_key`. What cannot be written is not."""
        if self._directory is None:
            return
        path = self._directory / f"{key}-{bars.content_hash}{_SUFFIX}"
        unfinished = path.with_suffix(f".{os.getpid()}{_UNFINISHED}")
        columns = np.stack(
            [
                bars.timestamps.view(np.float64),
                *(bars.open, bars.high, bars.low, bars.close, bars.volume),
            ]
        )
        try:
            self._directory.mkdir(exist_ok=True)
            with unfinished.open("wb") as entry:
                np.save(entry, columns, allow_pickle=False)
            unfinished.replace(path)
        except OSError as error:
            _log.debug("the bars of a file are not kept: %s", error)
            _remove(unfinished)
            return
        self._has_grown = True
        self._entries[key] = path

    @cached_property
    def _entries(self) -> dict[str, Path]:
        """The entries that existed at the first look, and new ones, by their key."""
        return {
            path.stem.partition("-")[0]: path
            for path, _ in _list(self._directory)
            if path.suffix == _SUFFIX
        }

    def _prune(self) -> None:
        """Remove the entries that were not used for the longest time, and unfinished ones."""
        total = 0
        for path, status in sorted(_list(self._directory), key=lambda each: -each[1].st_mtime):
            if path.suffix == _UNFINISHED:
                # Of a process that was killed, if it is old.
                is_surplus = _is_old(status)
            else:
                total += status.st_size
                is_surplus = total > self._most_bytes
            if is_surplus:
                _remove(path)


def make_key(content: bytes, file: BarsFile, timeframe: str) -> str:
    """Return what a file with this content is found by. Its suffix says how it is parsed."""
    digest = hashlib.sha256(content)
    suffix, mapping = file.path.suffix.lower(), file.mapping.model_dump_json()
    how = f"{_VERSION} {_find_version()} {suffix} {timeframe} {mapping}"
    digest.update(how.encode())
    return digest.hexdigest()


@cache
def _find_version() -> str:
    """Return the installed version. To find it takes a tenth of what a file of bars takes."""
    return version("ktrdr")


def _read(path: Path, symbol: str, timeframe: str) -> Bars | None:
    """Return the bars of an entry; None if it does not hold what its name says."""
    try:
        columns = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    if columns.ndim != 2 or len(columns) != _COLUMNS or columns.dtype != np.float64:
        return None
    times, opens, highs, lows, closes, volumes = map(np.asarray, columns)
    bars = Bars(symbol, timeframe, times.view(np.int64), opens, highs, lows, closes, volumes)
    if bars.content_hash != path.stem.partition("-")[2]:
        _log.warning("%s is damaged; its file is read again", path.name)
        _remove(path)
        return None
    return bars


def _note_use(path: Path) -> None:
    try:
        if _is_old(path.stat()):
            path.touch()
    except OSError as error:
        _log.debug("the use of %s is not noted: %s", path, error)


def _is_old(status: os.stat_result) -> bool:
    return time.time() - status.st_mtime > _SECONDS_UNTIL_OLD


def _list(directory: Path | None) -> list[tuple[Path, os.stat_result]]:
    try:
        with os.scandir(directory or "") as entries:
            return [(Path(each.path), each.stat()) for each in entries if each.is_file()]
    except OSError:
        return []


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        _log.debug("%s cannot be removed: %s", path, error)
