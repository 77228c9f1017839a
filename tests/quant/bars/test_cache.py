"""Bars of files are parsed once, and mapped by all who use them."""

import os
import time
from pathlib import Path

import numpy as np
import pytest

from quant.bars.bars import Bars
from quant.bars.cache import DIRECTORY, BarsCache, make_key
from quant.bars.catalog import BarsFile
from quant.bars.loader import load_bars, open_shelf
from quant.bars.mapping import FileMapping
from quant.bars.reading import files
from quant.messages.data import DataSource
from tests.support.quant.data import walk

GOLD = DataSource(symbol="GOLD")
ROWS = 600
_FILE = BarsFile(Path("GOLD.csv"), FileMapping())


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    table = walk(ROWS, "1D").assign(volume=1000)
    table.to_csv(tmp_path / "GOLD.csv", index=False)
    return tmp_path


def list_entries(data_dir: Path) -> list[Path]:
    return sorted((data_dir / DIRECTORY).iterdir())


def refuse_to_parse(*_: object) -> None:
    raise AssertionError("the file is parsed again")


def load_kept(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Bars:
    """Load bars whose file may not be parsed."""
    with monkeypatch.context() as patch:
        patch.setattr(files, "read_table", refuse_to_parse)
        return load_bars(GOLD, data_dir)


def test_a_file_is_parsed_once_and_then_mapped(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed = load_bars(GOLD, data_dir)
    kept = load_kept(data_dir, monkeypatch)
    assert kept.content_hash == parsed.content_hash
    assert (kept.symbol, kept.timeframe, len(kept)) == ("GOLD", "1d", ROWS)
    owner = kept.close
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    assert isinstance(owner, np.memmap)
    assert not kept.close.flags.writeable


def test_a_shelf_lists_what_is_kept_once_and_maps_what_it_has_parsed(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data_dir / "SILVER.csv").write_bytes((data_dir / "GOLD.csv").read_bytes() + b"\n")
    listed = []
    list_all = os.scandir

    def list_and_note(path: Path) -> object:
        listed.append(Path(path))
        return list_all(path)

    monkeypatch.setattr(os, "scandir", list_and_note)
    with open_shelf(data_dir) as shelf:
        gold, _ = load_bars(GOLD, shelf), load_bars(DataSource(symbol="SILVER"), shelf)
        with monkeypatch.context() as patch:
            patch.setattr(files, "read_table", refuse_to_parse)
            kept = load_bars(GOLD, shelf)
        assert listed == [data_dir, data_dir / DIRECTORY]
    assert kept.content_hash == gold.content_hash


def test_a_file_with_another_content_is_parsed_even_if_size_and_time_are_the_same(
    data_dir: Path,
) -> None:
    before = load_bars(GOLD, data_dir)
    path = data_dir / "GOLD.csv"
    status, content = path.stat(), path.read_bytes()
    last = content.rindex(b"1000")
    path.write_bytes(content[:last] + b"2000" + content[last + 4 :])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert path.stat().st_size == status.st_size
    after = load_bars(GOLD, data_dir)
    assert after.content_hash != before.content_hash
    assert after.volume[-1] == 2000.0


def test_a_file_that_is_to_be_read_in_another_way_is_parsed(data_dir: Path) -> None:
    before = load_bars(GOLD, data_dir)
    (data_dir / "mapping.yaml").write_text("GOLD.csv: {columns: {close: open, open: close}}\n")
    swapped = load_bars(GOLD, data_dir)
    assert np.array_equal(swapped.close, before.open)


@pytest.mark.parametrize("damage", ["flipped", "cut", "pickled"])
def test_a_damaged_entry_is_dropped(data_dir: Path, damage: str) -> None:
    whole = load_bars(GOLD, data_dir)
    [entry] = list_entries(data_dir)
    content = bytearray(entry.read_bytes())
    if damage == "flipped":
        content[-9] ^= 1
        entry.write_bytes(content)
    elif damage == "cut":
        entry.write_bytes(content[: len(content) // 2])
    else:
        with entry.open("wb") as file:
            np.save(file, np.array([{}], dtype=object), allow_pickle=True)
    assert load_bars(GOLD, data_dir).content_hash == whole.content_hash
    [renewed] = list_entries(data_dir)
    assert np.load(renewed).shape == (6, ROWS)


def test_bars_that_are_refused_are_not_kept(data_dir: Path) -> None:
    path = data_dir / "GOLD.csv"
    path.write_text("\n".join(path.read_text().splitlines()[:100]))
    with pytest.raises(Exception, match="has 99 bars"):
        load_bars(GOLD, data_dir)
    assert not (data_dir / DIRECTORY).exists()


def test_without_the_right_to_write_nothing_is_kept(data_dir: Path) -> None:
    (data_dir / DIRECTORY).write_text("a file where the directory would be")
    assert len(load_bars(GOLD, data_dir)) == ROWS


def test_entries_that_were_not_used_for_the_longest_time_go_first(data_dir: Path) -> None:
    bars = load_bars(GOLD, data_dir)
    [oldest] = list_entries(data_dir)
    size = oldest.stat().st_size
    long_ago = time.time() - 10_000.0
    os.utime(oldest, (long_ago, long_ago))
    left = data_dir / DIRECTORY / "killed.1.part"
    left.write_bytes(b"half an entry")
    os.utime(left, (long_ago, long_ago))
    with BarsCache(data_dir, most_bytes=2 * size) as cache:
        cache.keep(bars, make_key(b"second", _FILE, "1d"))
    assert left not in list_entries(data_dir)
    assert len(list_entries(data_dir)) == 2
    # It is used, so another one is the oldest.
    load_bars(GOLD, data_dir)
    assert time.time() - oldest.stat().st_mtime < 1_000.0
    second = next(each for each in list_entries(data_dir) if each != oldest)
    os.utime(second, (long_ago, long_ago))
    with BarsCache(data_dir, most_bytes=2 * size) as cache:
        cache.keep(bars, make_key(b"third", _FILE, "1d"))
    assert oldest in list_entries(data_dir)
    assert second not in list_entries(data_dir)
