"""Bars that come after a watch has begun, scored with the model as it was judged."""

from pathlib import Path

import numpy as np
import pytest

from errors import InvalidInput
from quant.bars.loader import load_bars
from quant.learning.prediction import predict_rises
from quant.messages.data import DataSource
from quant.strategy.positions import decide_positions
from quant.watch import scoring
from storage.artifacts import ArtifactStore
from tests.support.quant.watches import ALL, BEFORE, SPEC, TABLE, WatchedResearch


def install(directory: Path) -> WatchedResearch:
    directory.mkdir(exist_ok=True)
    return WatchedResearch(directory, ArtifactStore(str(directory / "artifacts")))


@pytest.fixture
def installed(tmp_path: Path) -> WatchedResearch:
    return install(tmp_path)


def test_a_watch_begins_with_the_bar_that_is_the_newest(installed: WatchedResearch) -> None:
    begun = installed.score(BEFORE + 20)

    assert begun.begins_after == f"{TABLE['timestamp'][BEFORE + 19]:%Y-%m-%dT%H:%M:%SZ}"
    assert (begun.bars, begun.evidence, begun.counter_evidence) == (0, 1.0, 1.0)
    assert begun.standing == "watching"


def test_bars_that_come_later_count_but_for_the_newest(installed: WatchedResearch) -> None:
    installed.score()

    assert installed.score(BEFORE + 1).bars == 0
    summary = installed.score(BEFORE + 11)

    assert summary.bars == 10
    assert summary.last_scored == f"{TABLE['timestamp'][BEFORE + 9]:%Y-%m-%dT%H:%M:%SZ}"
    assert summary.evidence != 1.0
    assert len(installed.record.points) == 10


def test_without_new_bars_nothing_changes(installed: WatchedResearch) -> None:
    installed.score()
    installed.score(BEFORE + 11)
    before = installed.record

    installed.score()

    assert installed.record == before


def test_all_at_once_or_one_after_the_other_is_the_same(tmp_path: Path) -> None:
    one, many = install(tmp_path / "one"), install(tmp_path / "many")
    one.score()
    many.score()

    one.score(ALL)
    for bars in range(BEFORE + 7, ALL, 31):
        many.score(bars)
    many.score(ALL)

    assert one.record == many.record
    assert one.record.bars == ALL - BEFORE - 1


def test_the_points_are_what_the_frozen_model_earns(installed: WatchedResearch) -> None:
    installed.score()
    installed.score(ALL)

    bars = load_bars(DataSource(symbol=installed.symbol), installed.data_dir)
    probabilities = predict_rises(installed.model, bars, SPEC)[BEFORE - 1 :]
    weights = decide_positions(probabilities[:, 0], SPEC)[:-2]
    # What was decided at a close is held from the next open to the one after. It costs nothing.
    moved = bars.open[BEFORE + 1 :] / bars.open[BEFORE:-1] - 1.0
    points = installed.record.points
    assert [point.market for point in points] == pytest.approx(moved.tolist())
    changed = np.diff(weights, prepend=0) != 0
    earned = np.array([point.strategy for point in points])
    # A short position that is held grows or shrinks with the price; one that is new has its weight.
    assert earned[changed] == pytest.approx((weights * moved)[changed])
    assert np.all(np.sign(earned) == np.sign(weights * moved))


def test_a_bar_that_is_corrected_later_counts_as_it_was(installed: WatchedResearch) -> None:
    installed.score()
    installed.score(BEFORE + 50)
    before = installed.record.points
    corrected = TABLE.copy()
    prices = ["open", "high", "low", "close"]
    corrected.loc[BEFORE + 10, prices] *= 1.01
    installed.write_bars(corrected)

    installed.score()

    after = installed.record.points
    assert after[: len(before)] == before
    assert len(after) == ALL - BEFORE - 1


def test_bars_that_disappear_and_return_do_not_count_twice(installed: WatchedResearch) -> None:
    installed.score()
    installed.score(BEFORE + 50)

    assert installed.score(BEFORE - 10).bars == 49
    assert installed.score(BEFORE + 60).bars == 59


def test_the_model_lasts_whatever_becomes_of_the_research(installed: WatchedResearch) -> None:
    installed.score()
    for path in (installed.data_dir / "artifacts" / installed.strategy.training_id).iterdir():
        path.unlink()

    assert installed.score(ALL).bars == ALL - BEFORE - 1


def test_another_model_is_refused(installed: WatchedResearch) -> None:
    installed.strategy = installed.strategy.model_copy(update={"model_sha256": "0" * 64})

    with pytest.raises(InvalidInput, match="SHA-256"):
        installed.score()


def test_the_curve_has_a_limit_and_the_evidence_rests_on_all_bars(
    installed: WatchedResearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "MOST_POINTS", 30)
    installed.score()

    installed.score(ALL)

    record = installed.record
    assert (record.bars, len(record.points)) == (ALL - BEFORE - 1, 30)
    assert record.points[-1].evidence == np.exp(record.state.log_evidence)
