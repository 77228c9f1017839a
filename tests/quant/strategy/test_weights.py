"""From probabilities to weights: every rule against a loop that is written as the rule is said."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from errors import InvalidInput
from quant.bars.bars import Bars, Floats
from quant.messages.strategy import FeatureSpec, StrategySpec
from quant.strategy.positions import decide_positions
from quant.strategy.stops import give_up
from quant.strategy.weights import decide_weights
from quant.universe.shares import LONGEST_ABSENCE, share_by_volatility, share_equally
from quant.universe.universe import Universe
from tests.support.quant.universes import make_bars, make_closes

FEATURES = (FeatureSpec(kind="return", period=5),)
ROWS = 300


def spec(**given: object) -> StrategySpec:
    return StrategySpec.model_validate({"name": "any", "features": FEATURES, "horizon": 3, **given})


def four(rows: int = ROWS) -> Universe:
    """Return four instruments; one begins late, one ends early, one has holes."""
    closes = make_closes(rows, 4, 5)
    return Universe.of(
        [
            make_bars("A", closes[:, 0]),
            make_bars("B", closes[120:, 1], first=120),
            make_bars("C", closes[: rows - 60, 2]),
            make_bars("D", closes[:, 3], holes=range(10, rows, 7)),
        ]
    )


def guess(universe: Universe, seed: int = 1) -> Floats:
    drawn = np.random.default_rng(seed).uniform(0.4, 0.6, universe.exists.shape)
    return np.where(universe.exists, drawn, np.nan)


def test_one_instrument_has_the_weight_of_its_position() -> None:
    universe = Universe.of(make_bars("A", make_closes(ROWS, 1, 2)[:, 0]))
    guesses = guess(universe)

    weights = decide_weights(universe, guesses, spec())

    np.testing.assert_array_equal(weights[:, 0], decide_positions(guesses[:, 0], spec()))


def test_equal_shares_are_those_of_the_instruments_that_had_a_bar_lately() -> None:
    universe = four()
    shares = share_equally(universe.exists)

    for bar in range(len(universe)):
        begun = universe.exists[max(0, bar - LONGEST_ABSENCE + 1) : bar + 1].any(axis=0)
        np.testing.assert_allclose(shares[bar], begun / begun.sum())


def test_shares_by_volatility_add_up_to_one_and_favour_the_calm() -> None:
    closes = make_closes(ROWS, 2, 5)
    wild = 100.0 * (closes[:, 1] / closes[0, 1]) ** 3
    universe = Universe.of([make_bars("CALM", closes[:, 0]), make_bars("WILD", wild)])

    shares = share_by_volatility(universe.exists, universe.closes)

    np.testing.assert_allclose(shares.sum(axis=1), 1.0)
    assert np.all(shares[100:, 0] > 0.6)
    assert len(np.unique(shares[100:, 0])) == (ROWS - 100) // 20


@pytest.mark.parametrize("positions", ["long_short", "long_only", "short_only"])
def test_each_instrument_is_decided_by_itself_on_its_own_bars(positions: str) -> None:
    universe, rule = four(), spec(positions=positions)
    guesses = guess(universe)

    weights = decide_weights(universe, guesses, rule)

    shares = share_equally(universe.exists)
    assert np.all(np.isnan(weights) == ~universe.exists)
    for number, place in enumerate(universe.places):
        own = decide_positions(guesses[place, number], rule)
        np.testing.assert_allclose(weights[place, number], own * shares[place, number])
    assert (np.nanmin(weights) < 0.0) == (positions != "long_only")
    assert (np.nanmax(weights) > 0.0) == (positions != "short_only")


def test_ranking_holds_the_best_and_the_worst_after_every_horizon() -> None:
    universe, rule = four(), spec(positions="cross_sectional")
    guesses = guess(universe)

    weights = decide_weights(universe, guesses, rule)

    for bar in range(len(universe)):
        decided = bar - bar % rule.horizon
        known = [each for each in range(4) if not np.isnan(guesses[decided, each])]
        best = max(known, key=lambda each: guesses[decided, each])
        worst = min(known, key=lambda each: guesses[decided, each])
        expected = np.zeros(4)
        expected[best], expected[worst] = 0.5, -0.5
        there = universe.exists[bar]
        np.testing.assert_allclose(weights[bar, there], expected[there])


def test_two_instruments_are_too_few_to_rank() -> None:
    closes = make_closes(ROWS, 2, 5)
    universe = Universe.of([make_bars("A", closes[:, 0]), make_bars("B", closes[:, 1])])

    with pytest.raises(InvalidInput, match="needs at least 3 instruments to rank; there are 2"):
        decide_weights(universe, guess(universe), spec(positions="cross_sectional"))


def test_a_volatility_target_is_met_by_what_the_weights_would_have_earned() -> None:
    universe, start = four(), 200
    rule = spec(volatility_target=0.05, most_exposure=2.0)
    guesses = guess(universe)[start:]

    scaled = decide_weights(universe, guesses, rule)
    plain = decide_weights(universe, guesses, rule.model_copy(update={"volatility_target": None}))

    latest = Universe.of(universe.instruments).closes.copy()
    for bar in range(1, len(latest)):
        latest[bar] = np.where(np.isnan(latest[bar]), latest[bar - 1], latest[bar])
    for first in range(0, len(plain), 20):
        held = np.nan_to_num(plain[first])
        if np.isnan(plain[first]).any() or not held.any():
            continue
        prices = latest[start + first - 60 : start + first + 1]
        earned = np.nan_to_num(prices[1:] / prices[:-1] - 1.0) @ held
        factor = 0.05 / (np.std(earned, ddof=1) * np.sqrt(universe.periods_per_year))
        np.testing.assert_allclose(scaled[first], plain[first] * min(factor, 2.0))
    assert np.nanmax(np.abs(scaled).sum(axis=1, where=~np.isnan(scaled))) <= 2.0 + 1e-12


def test_a_volatility_target_needs_bars_before_the_first_that_is_traded() -> None:
    universe = four()

    with pytest.raises(InvalidInput, match="there are 59 before the first") as refused:
        decide_weights(universe, guess(universe)[59:], spec(volatility_target=0.1))
    assert refused.value.field == "volatility_target"


RULES = [
    {"stop_loss": 0.02},
    {"take_profit": 0.02},
    {"max_holding": 4},
    {"stop_loss": 0.015, "take_profit": 0.03, "max_holding": 9},
]


@pytest.mark.parametrize("given", RULES)
@pytest.mark.parametrize("seed", range(5))
def test_a_position_is_given_up_until_another_is_decided(
    given: dict[str, float], seed: int
) -> None:
    rule = spec(**given)
    bars = make_bars("A", make_closes(ROWS, 1, seed)[:, 0])
    random = np.random.default_rng(seed)
    decided = np.repeat(random.integers(-1, 2, ROWS), random.integers(1, 20, ROWS))[:ROWS]
    position = decided.astype(np.int8)

    np.testing.assert_array_equal(give_up(position, bars, rule), loop(position, bars, rule))


def loop(position: NDArray[np.int8], bars: Bars, rule: StrategySpec) -> list[int]:
    """Return what `give_up` returns, bar by bar."""
    found: list[int] = []
    begun, given_up, before = 0, False, 0
    for bar, wanted in enumerate(position.tolist()):
        if wanted != before:
            begun, given_up, before = bar, False, wanted
        if wanted and bar > begun and not given_up:
            gain = wanted * (bars.close[bar] / bars.open[begun + 1] - 1.0)
            given_up = (
                (rule.stop_loss is not None and gain <= -rule.stop_loss)
                or (rule.take_profit is not None and gain >= rule.take_profit)
                or (rule.max_holding is not None and bar - begun >= rule.max_holding)
            )
        found.append(0 if given_up else wanted)
    return found


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"positions": "cross_sectional"},
        {"weights": "inverse_volatility"},
        {"positions": "cross_sectional", "weights": "inverse_volatility", "stop_loss": 0.02},
        {"volatility_target": 0.1, "take_profit": 0.02, "max_holding": 7},
    ],
)
def test_no_weight_depends_on_a_later_bar(given: dict[str, object]) -> None:
    universe, rule, start = four(), spec(**given), 150
    guesses = guess(universe)
    expected = decide_weights(universe, guesses[start:], rule)

    for cut in (160, 201, 222, 260):
        random = np.random.default_rng(cut)
        changed = Universe(
            tuple(
                replace(
                    bars,
                    open=np.where(later, bars.open * 1.7, bars.open),
                    close=np.where(
                        later, bars.close * random.uniform(0.5, 2.0, len(bars)), bars.close
                    ),
                )
                for bars, place in zip(universe.instruments, universe.places, strict=True)
                for later in [place >= cut]
            ),
            universe.timestamps,
        )
        other = guesses.copy()
        drawn = random.uniform(0.4, 0.6, (len(other) - cut, 4))
        other[cut:] = np.where(np.isnan(other[cut:]), np.nan, drawn)
        found = decide_weights(changed, other[start:], rule)
        np.testing.assert_array_equal(found[: cut - start], expected[: cut - start])
        shorter = decide_weights(universe.slice(0, cut), guesses[start:cut], rule)
        np.testing.assert_array_equal(shorter, expected[: cut - start])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"weights": "by_heart"}, "equal"),
        ({"stop_loss": 0.0}, "greater than 0"),
        ({"stop_loss": 1.0}, "less than 1"),
        ({"per_side": 3}, "no effect without"),
        ({"most_exposure": 2.0}, "no effect without"),
        ({"volatility_target": 0.0}, "greater than or equal"),
    ],
)
def test_rules_that_mean_nothing_are_refused(given: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        spec(**given)


def test_rules_at_their_defaults_change_no_fingerprint() -> None:
    fields = ("per_side", "weights", "volatility_target", "most_exposure", "stop_loss")
    defaults = {name: StrategySpec.model_fields[name].default for name in fields}

    assert spec(**defaults).fingerprint() == spec().fingerprint()
    assert spec(stop_loss=0.1).fingerprint() != spec().fingerprint()
