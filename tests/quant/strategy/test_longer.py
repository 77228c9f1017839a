"""Features of a longer timeframe and ranks: values of plain loops, and nothing of the future."""

import numpy as np
import pytest
from pydantic import ValidationError

from errors import InvalidInput
from quant.bars.bars import Bars, Floats
from quant.bars.loader import load_bars
from quant.messages.data import DataSource
from quant.messages.strategy import FeatureSpec, StrategySpec
from quant.strategy.features import INDICATORS
from quant.strategy.longer import aggregate, count_look_back
from quant.strategy.lookahead import assert_causal
from quant.strategy.table import FeatureTable, compute_features
from quant.universe.universe import Universe
from tests.support.quant.universes import make_bars, make_closes

DAY = 86_400 * 10**9


@pytest.fixture(scope="module")
def bars() -> Bars:
    return load_bars(DataSource(), None).slice(0, 700)


def use(*features: FeatureSpec) -> StrategySpec:
    return StrategySpec(name="any", features=features)


def test_weeks_are_those_of_the_calendar(bars: Bars) -> None:
    joined, complete = aggregate(bars, "1w")

    weeks: dict[int, list[int]] = {}
    for number, moment in enumerate(bars.timestamps.tolist()):
        weeks.setdefault((moment // DAY + 3) // 7, []).append(number)
    rows = list(weeks.values())
    assert joined.open.tolist() == [bars.open[each[0]] for each in rows]
    assert joined.close.tolist() == [bars.close[each[-1]] for each in rows]
    assert joined.high.tolist() == [bars.high[each].max() for each in rows]
    assert joined.low.tolist() == [bars.low[each].min() for each in rows]
    assert joined.volume == pytest.approx([bars.volume[each].sum() for each in rows])
    # On all days of a week, the weeks before it are complete.
    assert complete.tolist() == [week for week, each in enumerate(rows) for _ in each]


def test_a_feature_of_weeks_is_that_of_the_last_complete_one(bars: Bars) -> None:
    feature = FeatureSpec(kind="rsi", period=5, timeframe="1w")

    found = compute_features(bars, use(feature))[:, 0]

    joined, complete = aggregate(bars, "1w")
    weekly = INDICATORS["rsi"](joined, 5)
    for bar in range(len(bars)):
        expected = weekly[complete[bar] - 1] if complete[bar] else np.nan
        assert found[bar] == expected or (np.isnan(found[bar]) and np.isnan(expected))


@pytest.mark.parametrize("kind", sorted(INDICATORS))
def test_no_longer_feature_looks_ahead(bars: Bars, kind: str) -> None:
    feature = FeatureSpec.model_validate({"kind": kind, "period": 4, "timeframe": "1w"})

    assert_causal(
        lambda some: compute_features(some, use(feature)), bars, (300, 301, 302, 303, 304)
    )


def test_a_rank_is_the_share_of_the_others_below() -> None:
    closes = make_closes(120, 4, 3)
    universe = Universe.of(
        [make_bars(f"S{each}", closes[:, each], holes=(60, 61)[:each]) for each in range(4)]
    )
    plain = FeatureSpec(kind="return", period=5)
    rank = FeatureSpec(kind="return", period=5, relative=True)

    values = universe.spread([each[:, 0] for each in FeatureTable(universe).compute(use(plain))])
    found = universe.spread([each[:, 0] for each in FeatureTable(universe).compute(use(rank))])

    for bar, row in enumerate(values):
        for number, value in enumerate(row):
            others = [each for other, each in enumerate(row) if other != number]
            others = [each for each in others if not np.isnan(each)]
            if np.isnan(value):
                assert np.isnan(found[bar, number])
            else:
                below = sum(each < value for each in others)
                expected = below / len(others) if others else 0.5
                assert found[bar, number] == pytest.approx(expected)


def test_no_rank_looks_ahead() -> None:
    closes = make_closes(200, 3, 3)
    spec = use(FeatureSpec(kind="rsi", period=5, relative=True, timeframe="1w"))

    def compute(some: Floats) -> list[Floats]:
        universe = Universe.of([make_bars(f"S{each}", some[:, each]) for each in range(3)])
        return FeatureTable(universe).compute(spec)

    expected = compute(closes)
    for cut in (100, 103, 150):
        changed = closes.copy()
        changed[cut:] *= np.random.default_rng(cut).uniform(0.5, 2.0, changed[cut:].shape)
        for before, after in zip(expected, compute(changed), strict=True):
            np.testing.assert_array_equal(before[:cut], after[:cut])


@pytest.mark.parametrize("timeframe", ["1d", "4h", "36h"])
def test_bars_make_up_multiples_of_theirs_only(bars: Bars, timeframe: str) -> None:
    feature = FeatureSpec(kind="rsi", period=5, timeframe=timeframe)

    with pytest.raises(InvalidInput, match="must be a longer one"):
        compute_features(bars, use(feature))


def test_one_instrument_has_no_rank(bars: Bars) -> None:
    with pytest.raises(InvalidInput, match="rank among instruments, and there is 1"):
        compute_features(bars, use(FeatureSpec(kind="rsi", period=5, relative=True)))


def test_no_timeframe_is_refused() -> None:
    with pytest.raises(ValidationError, match="a number with m, h, d or w"):
        FeatureSpec(kind="rsi", period=5, timeframe="weekly")


def test_longer_features_look_back_further() -> None:
    short = FeatureSpec(kind="rsi", period=10)

    assert count_look_back(use(short), "1d") == use(short).look_back
    weekly = short.model_copy(update={"timeframe": "1w"})
    assert count_look_back(use(weekly), "1d") == 2 * 70 + use(weekly).horizon


def test_new_fields_at_their_defaults_change_no_fingerprint() -> None:
    short = FeatureSpec(kind="rsi", period=10)
    recorded = "be7482ab9bfe7d1861b4abe6c168c31caabb0033ec07d183259be591bd79b673"

    assert use(short).fingerprint() == recorded
    labels = {
        short.label,
        short.model_copy(update={"timeframe": "1w"}).label,
        short.model_copy(update={"relative": True}).label,
    }
    assert labels == {"rsi_10", "rsi_10@1w", "rsi_10.rank"}
    assert (
        use(short).fingerprint() != use(short.model_copy(update={"relative": True})).fingerprint()
    )
