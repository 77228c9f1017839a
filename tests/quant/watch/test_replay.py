"""The calibration of watches by replaying them."""

import json

import pytest

from bench.calibration.replay import Case, Replay, replay
from bench.calibration.watching import count, list_cases


def test_a_planted_rule_is_confirmed_and_one_that_flips_is_withdrawn() -> None:
    lives = replay(Case("planted rule", "reversion", 1))
    flips = replay(Case("planted rule", "reversion", 1, "flips"))

    assert (lives.withdrawn, flips.confirmed) == (None, None)
    assert lives.confirmed is not None
    assert flips.withdrawn is not None
    assert lives.bars == flips.bars == 1499
    assert lives.sharpe > 1.0 > -1.0 > flips.sharpe


def test_a_replay_survives_its_file_and_is_counted() -> None:
    first = replay(Case("best of twelve rules", "Gaussian", 1))

    assert Replay.from_row(json.loads(json.dumps(first.to_row()))) == first
    figures = {figure.name: figure.value for figure in count([first, first])}
    confirmed = 0 if first.confirmed is None else 2
    assert f"best of twelve rules, lives: confirmed {confirmed} of 2, %" in figures


@pytest.mark.parametrize("watched", ["best of twelve rules", "planted rule"])
def test_cases_take_kinds_in_turn(watched: str) -> None:
    cases = list_cases(watched, range(2))  # type: ignore[arg-type]

    assert len(set(cases)) == len(cases)
    assert [case.seed for case in cases] == sorted(case.seed for case in cases)
