"""Positions by the probabilities of each bar."""

from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quant.messages.strategy import FeatureSpec, StrategySpec
from quant.strategy.positions import decide_positions

NAN = float("nan")
UP, NONE, DOWN = 0.6, 0.5, 0.4


def spec(
    horizon: int = 3,
    threshold: float = 0.05,
    positions: Literal["long_short", "long_only"] = "long_short",
) -> StrategySpec:
    return StrategySpec(
        name="test",
        features=(FeatureSpec(kind="rsi", period=14),),
        horizon=horizon,
        threshold=threshold,
        positions=positions,
    )


@pytest.mark.parametrize(
    ("probabilities", "expected"),
    [
        pytest.param([UP, NONE, NONE, NONE, NONE], [1, 1, 1, 0, 0], id="held for the horizon"),
        pytest.param([UP, NONE, UP, NONE, NONE, NONE], [1, 1, 1, 1, 1, 0], id="renewed"),
        pytest.param([UP, DOWN, NONE, NONE, NONE], [1, -1, -1, -1, 0], id="turned around"),
        pytest.param([NAN, NAN, UP, NONE], [0, 0, 1, 1], id="flat in the warm-up"),
        pytest.param([UP, NAN, NONE, NONE], [1, 0, 0, 0], id="ended by a gap"),
        pytest.param([0.55, NAN, 0.45], [1, 0, -1], id="the threshold itself counts"),
        pytest.param([0.549, 0.451], [0, 0], id="below the threshold"),
        pytest.param([], [], id="no bars"),
    ],
)
def test_rule(probabilities: list[float], expected: list[int]) -> None:
    assert decide_positions(np.array(probabilities), spec()).tolist() == expected


def test_long_only_closes_on_a_bearish_signal_instead_of_selling_short() -> None:
    probabilities = np.array([UP, DOWN, NONE, UP])

    assert decide_positions(probabilities, spec(positions="long_only")).tolist() == [1, 0, 0, 1]


def test_horizon_of_one_bar_decides_anew_at_every_close() -> None:
    probabilities = np.array([UP, NONE, DOWN, NONE])

    assert decide_positions(probabilities, spec(horizon=1)).tolist() == [1, 0, -1, 0]


def test_without_a_threshold_an_even_chance_is_bullish() -> None:
    assert decide_positions(np.array([0.5]), spec(threshold=0.0)).tolist() == [1]


@settings(max_examples=100)
@given(
    probabilities=st.lists(st.one_of(st.floats(0.0, 1.0), st.just(NAN)), min_size=1, max_size=40),
    horizon=st.integers(1, 10),
    data=st.data(),
)
def test_causal(probabilities: list[float], horizon: int, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(probabilities)))
    whole = decide_positions(np.array(probabilities), spec(horizon))

    assert whole.dtype == np.int8
    assert set(whole.tolist()) <= {-1, 0, 1}
    beginning = decide_positions(np.array(probabilities[:cut]), spec(horizon))
    assert whole[:cut].tolist() == beginning.tolist()
