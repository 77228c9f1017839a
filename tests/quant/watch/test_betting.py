"""The two bets on the alpha of a watched strategy."""

import math
from collections.abc import Iterator

import numpy as np
import pytest
from pydantic import TypeAdapter

from quant.bars.bars import Floats
from quant.messages.watch import ENOUGH, Evidence
from quant.watch.betting import (
    CLAIMED_SHARPE,
    LARGEST_MOVE,
    begin_evidence,
    follow_bars,
    measure_beta,
)

YEAR = 252.0
RECORD = 1000
STORED = TypeAdapter(Evidence)


def make_market(rng: np.random.Generator, bars: int, drift: float = 0.0) -> Floats:
    return rng.normal(drift, 0.01, bars)


def make_strategy(
    rng: np.random.Generator, market: Floats, sharpe: float, beta: float = 0.0
) -> Floats:
    """Return returns with a share of the market and this annual Sharpe ratio beyond it."""
    own = rng.normal(sharpe * 0.01 / math.sqrt(YEAR), 0.01, len(market))
    return beta * market + own


def follow(
    begun: Evidence, strategy: Floats, market: Floats, beta: float = 0.0
) -> Iterator[Evidence]:
    return follow_bars(begun, strategy, market, np.full(len(market), beta), YEAR)


def watch(strategy: Floats, market: Floats, beta: float = 0.0) -> list[Evidence]:
    """Take the first bars as the record, and follow the others, with a constant weight."""
    begun = begin_evidence(strategy[:RECORD], market[:RECORD])
    return list(follow(begun, strategy[RECORD:], market[RECORD:], beta))


def test_the_share_of_the_market_is_that_of_the_regression() -> None:
    rng = np.random.default_rng(1)
    market = make_market(rng, 500)
    strategy = make_strategy(rng, market, 1.0, beta=0.4)

    fitted, _ = np.polyfit(market, strategy, 1)

    assert measure_beta(begin_evidence(strategy, market)) == pytest.approx(fitted)


def test_the_state_carries_everything_from_one_piece_to_the_next() -> None:
    rng = np.random.default_rng(2)
    market = make_market(rng, 60)
    strategy = make_strategy(rng, market, 2.0, beta=0.5)
    begun = begin_evidence(strategy[:20], market[:20])

    *_, at_once = follow(begun, strategy[20:], market[20:])
    *_, half = follow(begun, strategy[20:40], market[20:40])
    half = STORED.validate_json(STORED.dump_json(half))
    *_, in_pieces = follow(half, strategy[40:], market[40:])

    assert in_pieces == at_once


def test_a_bet_depends_on_earlier_bars_only() -> None:
    rng = np.random.default_rng(3)
    market = make_market(rng, 40)
    strategy = make_strategy(rng, market, 1.0)
    begun = begin_evidence(strategy[:20], market[:20])
    changed = strategy.copy()
    changed[30:] = -changed[30:]

    states = list(follow(begun, strategy[20:], market[20:]))
    others = list(follow(begun, changed[20:], market[20:]))

    assert states[:10] == others[:10]
    assert states[10:] != others[10:]


def test_no_bar_ruins_a_bettor() -> None:
    calm = np.resize([0.01, -0.01], 100)
    begun = begin_evidence(calm, np.zeros(100))
    crash = np.array([-0.9, 0.9])

    lost, won = follow(begun, crash, np.zeros(2))

    stake = CLAIMED_SHARPE / math.sqrt(YEAR)
    assert lost.log_evidence == pytest.approx(math.log(1.0 - stake * LARGEST_MOVE))
    assert math.isfinite(won.log_counter_evidence)


def test_bars_so_rare_that_the_claim_exceeds_the_largest_stake_ruin_none_either() -> None:
    begun = begin_evidence(np.resize([0.01, -0.01], 100), np.zeros(100))

    states = list(follow_bars(begun, np.array([-0.5, 0.5]), np.zeros(2), np.zeros(2), 4.0))

    assert all(math.isfinite(state.log_evidence) for state in states)
    assert all(math.isfinite(state.log_counter_evidence) for state in states)


def test_holding_the_market_is_no_evidence_either_way() -> None:
    market = make_market(np.random.default_rng(4), 3000, drift=0.001)

    last = watch(market.copy(), market, 1.0)[-1]

    assert last.log_evidence == pytest.approx(0.0, abs=1e-6)
    assert last.standing != "confirmed"


@pytest.mark.parametrize("beta", [0.0, 0.7])
@pytest.mark.parametrize("drift", [0.0, 0.001])
def test_without_alpha_few_are_ever_confirmed_however_often_one_looks(
    beta: float, drift: float
) -> None:
    confirmed = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        market = make_market(rng, RECORD + 1000, drift)
        states = watch(make_strategy(rng, market, 0.0, beta), market, beta)
        confirmed += any(state.standing == "confirmed" for state in states)

    # 5 are expected at most. More than 11 have a probability of less than 1 %.
    assert confirmed <= 11


def test_alpha_is_confirmed_and_its_end_withdraws_it_although_it_has_earned_for_years() -> None:
    rng = np.random.default_rng(5)
    market = make_market(rng, RECORD + 5000)
    strategy = np.concatenate(
        [
            make_strategy(rng, market[: RECORD + 2500], 3.0, beta=0.3),
            make_strategy(rng, market[RECORD + 2500 :], -0.5, beta=0.3),
        ]
    )

    standings = [state.standing for state in watch(strategy, market, 0.3)]

    confirmed, withdrawn = standings.index("confirmed"), standings.index("withdrawn")
    assert confirmed < 2500 < withdrawn
    assert set(standings[confirmed:withdrawn]) == {"confirmed"}
    assert set(standings[withdrawn:]) == {"withdrawn"}


def test_a_rule_that_never_earned_anything_is_withdrawn() -> None:
    rng = np.random.default_rng(6)
    market = make_market(rng, RECORD + 3000)

    standings = [state.standing for state in watch(make_strategy(rng, market, -0.5), market)]

    assert "confirmed" not in standings
    assert standings[-1] == "withdrawn"


def test_twenty_is_enough() -> None:
    assert ENOUGH == 20.0
    nearly = Evidence(log_evidence=math.log(ENOUGH) - 1e-9, residual_squares=1.0, bars=10)

    [state] = follow(nearly, np.array([0.1]), np.zeros(1))

    assert state.standing == "confirmed"
    assert state.log_counter_evidence == 0.0


def test_more_of_a_rising_market_than_usual_is_no_alpha() -> None:
    confirmed = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        market = make_market(rng, RECORD + 1500, drift=2.0 * 0.01 / math.sqrt(YEAR))
        # Half of the market on the record, all of it afterwards, whatever it does.
        weights = np.where(np.arange(len(market)) < RECORD, rng.integers(0, 2, len(market)), 1)
        strategy = weights * market
        begun = begin_evidence(strategy[:RECORD], market[:RECORD])
        states = follow_bars(
            begun,
            strategy[RECORD:],
            market[RECORD:],
            weights[RECORD:].astype(np.float64),
            YEAR,
        )
        confirmed += any(state.standing == "confirmed" for state in states)

    # 3 are expected at most. More than 8 have a probability of less than 1 %.
    assert confirmed <= 8
