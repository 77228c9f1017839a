"""One clock, and rows that are purged by time."""

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from errors import DataChanged, InvalidData, InvalidInput, UnknownSymbol
from quant.bars.loader import load_bars
from quant.learning.panel import Panel
from quant.messages.data import MOST_INSTRUMENTS, DataSource, name_universe
from quant.messages.strategy import FeatureSpec, StrategySpec
from quant.strategy.table import FeatureTable
from quant.universe.loader import load_universe
from quant.universe.universe import Universe
from tests.support.quant.universes import (
    DAY,
    START,
    make_bars,
    make_closes,
    write_bars,
    write_universe,
)

SYMBOLS = ("A", "B", "C")
SPEC = StrategySpec(
    name="two", features=(FeatureSpec(kind="return", period=3), FeatureSpec(kind="rsi", period=5))
)


def three() -> Universe:
    """Return three instruments: whole, late, and with holes."""
    closes = make_closes(400, 3, 3)
    return Universe.of(
        [
            make_bars("A", closes[:, 0]),
            make_bars("B", closes[150:, 1], first=150),
            make_bars("C", closes[:, 2], holes=range(1, 400, 3)),
        ]
    )


def test_the_clock_has_every_time_at_which_any_instrument_has_a_bar() -> None:
    universe = three()

    assert len(universe) == 400
    assert universe.exists.sum() == universe.rows == 400 + 250 + 267
    for number, bars in enumerate(universe.instruments):
        rows = np.flatnonzero(universe.exists[:, number])
        np.testing.assert_array_equal(universe.timestamps[rows], bars.timestamps)
        np.testing.assert_array_equal(universe.closes[rows, number], bars.close)


def test_development_and_holdout_are_cut_at_one_time_for_all() -> None:
    development, holdout = three().split()

    cut = START + 280 * DAY
    for before, after in zip(development.instruments, holdout.instruments, strict=True):
        assert before.timestamps[-1] < cut <= after.timestamps[0]
    assert (len(development), len(holdout)) == (280, 120)


def test_one_instrument_is_the_universe_of_its_bars() -> None:
    bars = load_bars(DataSource(), None)
    universe = Universe.of(bars)

    assert universe.describe() == bars.describe()
    assert universe.periods_per_year == bars.periods_per_year
    np.testing.assert_array_equal(universe.opens[:, 0], bars.open)


def test_no_label_of_any_instrument_reaches_into_a_test() -> None:
    universe = three()
    panel = Panel.make(FeatureTable(universe), SPEC)

    for fold in panel.split(3, SPEC.horizon):
        rows = panel.find_train(fold)
        assert set(panel.instruments[rows]) == {0, 1, 2} or fold.number == 1
        for row in rows:
            bars = universe.instruments[panel.instruments[row]]
            moment = universe.timestamps[panel.times[row]]
            own = int(np.searchsorted(bars.timestamps, moment))
            known = bars.timestamps[own + 1 + SPEC.horizon]
            assert known < universe.timestamps[fold.test.start]
        tested = panel.find_test(fold)
        assert panel.times[tested].min() >= fold.test.start
        assert panel.times[tested].max() < fold.test.stop


def test_the_holes_of_an_instrument_move_its_last_training_row_back() -> None:
    universe = three()
    panel = Panel.make(FeatureTable(universe), SPEC)
    fold = panel.split(3, SPEC.horizon)[1]
    rows = panel.find_train(fold)

    last = [int(panel.times[rows[panel.instruments[rows] == each]].max()) for each in (0, 2)]
    assert last[0] == fold.train.stop - 1
    assert last[1] < last[0] - SPEC.horizon // 3


def test_a_universe_is_loaded_whatever_the_order_of_its_symbols(tmp_path: Path) -> None:
    write_universe(tmp_path, SYMBOLS)

    one = load_universe(DataSource(symbols=("C", "A", "B")), tmp_path)
    other = load_universe(DataSource(symbols=SYMBOLS), tmp_path)

    assert one.content_hash == other.content_hash
    assert one.symbols == SYMBOLS
    assert one.describe().source == other.describe().source


def test_the_hash_covers_every_instrument(tmp_path: Path) -> None:
    write_universe(tmp_path, SYMBOLS)
    source = load_universe(DataSource(symbols=SYMBOLS), tmp_path).describe().source
    changed = make_bars("C", make_closes(900, 1, 9)[:, 0])
    write_bars(tmp_path, changed)

    with pytest.raises(DataChanged, match="A,B,C"):
        load_universe(source, tmp_path)


def test_an_instrument_without_enough_bars_is_refused_by_name(tmp_path: Path) -> None:
    write_universe(tmp_path, SYMBOLS)
    closes = make_closes(560, 1, 4)[:, 0]
    write_bars(tmp_path, make_bars("LATE", closes, first=1100))
    write_bars(tmp_path, make_bars("EARLY", closes))
    write_bars(tmp_path, make_bars("LONG", make_closes(1500, 1, 8)[:, 0]))

    with pytest.raises(InvalidData, match="LATE has 62 bars before and 498 after"):
        load_universe(DataSource(symbols=("LONG", "LATE")), tmp_path)
    with pytest.raises(InvalidData, match="EARLY has 560 bars before and 0 after"):
        load_universe(DataSource(symbols=("EARLY", "LONG")), tmp_path)


def test_an_unknown_symbol_among_known_ones_is_named(tmp_path: Path) -> None:
    write_universe(tmp_path, SYMBOLS)

    with pytest.raises(UnknownSymbol, match="'NOWHERE'") as refused:
        load_universe(DataSource(symbols=("A", "NOWHERE")), tmp_path)
    assert refused.value.field == "symbols"


def test_an_instrument_of_another_timeframe_is_named(tmp_path: Path) -> None:
    write_universe(tmp_path, SYMBOLS)
    (tmp_path / "A.csv").rename(tmp_path / "A_1h.csv")

    with pytest.raises(InvalidInput, match="A has no bars of timeframe 1d, only of 1h"):
        load_universe(DataSource(symbols=("A", "B")), tmp_path)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"symbols": ["A", "B", "A"]}, "names 'A' twice"),
        ({"symbols": [f"S{each}" for each in range(MOST_INSTRUMENTS + 1)]}, "at most 500"),
        ({"symbols": ["A", "B"], "symbol": "C"}, "which is 'C'"),
        ({"symbols": ["A", "B/C"]}, "must be letters"),
    ],
)
def test_a_list_that_is_none_is_refused(given: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        DataSource.model_validate(given)


def test_a_list_of_one_is_that_instrument() -> None:
    assert DataSource(symbols=("A",)) == DataSource(symbol="A")


def test_long_lists_have_short_names_that_differ() -> None:
    many = [f"SYMBOL{each}" for each in range(400)]

    assert len(name_universe(many)) <= 80
    assert name_universe(many) != name_universe(many[:-1])
    assert name_universe(["B", "A"]) == "A,B"
