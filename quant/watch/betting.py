"""Two bets on the alpha of a strategy, bar by bar, that may be looked at whenever one likes.

One bettor stakes on the alpha, the other one against an alpha that is worth having. Each begins
with 1, stakes a share of the wealth that is known before the bar, and cannot gain on average if
that bettor is wrong. So the wealth of either is evidence: it ever reaches 20 with a probability of
1 / 20 at most (Ville 1939), however often somebody looks. Sources: Waudby-Smith and Ramdas (2024),
"Estimating means of bounded random variables by betting"; Wald (1945) for deciding between two
hypotheses by one sequence; Page (1954) for the end of what was confirmed.

What is bet on is what the market does not explain: the return of the strategy, less its usual share
of the market's, less what the market earns on average on the position beyond that share. Otherwise
a strategy that happens to hold more of a rising market than it did would seem to have an alpha. The
rest counts by its usual size. Share, average and size are those of the bars before. A move of more
than `LARGEST_MOVE` times the usual size counts as so many, so that no bar ruins a bettor. Up and
down are cut alike: the bound is exact if such moves are as likely for the strategy as against it.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from quant.bars.bars import Floats
from quant.messages.watch import ENOUGH, Evidence, Standing

# Annual. One bettor stakes on it, and the other one against it. Stakes that suit another alpha than
# the real one cost time, and no validity.
CLAIMED_SHARPE: Final = 1.25
LARGEST_MOVE: Final = 5.0
# Whoever loses by the largest move keeps a part of the wealth.
LARGEST_STAKE: Final = 0.15
# The latest 60 bars have half of the weight.
_MEMORY: Final = 0.5 ** (1.0 / 60.0)
_LOG_ENOUGH: Final = math.log(ENOUGH)
# A market whose returns vary less has never moved.
_NO_SPREAD: Final = 1e-18


def begin_evidence(strategy: Floats, market: Floats) -> Evidence:
    """Return the state before the first new bar: share and size are those of the record.

    Args:
        strategy: Simple returns beyond those of cash on the record, shape (bars,).
        market: The same of buy and hold.
    """
    sums = Evidence(
        bars=len(market),
        market=float(np.sum(market)),
        strategy=float(np.sum(strategy)),
        market_squares=float(np.sum(market**2)),
        products=float(np.sum(strategy * market)),
    )
    squares = (strategy - measure_beta(sums) * market) ** 2
    return replace(
        sums,
        residual_squares=float(np.sum(squares)),
        recent_variance=float(np.mean(squares)) if len(squares) else 0.0,
    )


def follow_bars(
    state: Evidence,
    strategy: Floats,
    market: Floats,
    weights: Floats,
    periods_per_year: float,
) -> Iterator[Evidence]:
    """Yield the state after each of some new bars, in their order.

    A strategy is confirmed by enough evidence, and withdrawn by enough counter-evidence. When it is
    confirmed, the bet against it begins anew, and so it does whenever that bet has lost. Otherwise
    the wealth of good years would hide a bad end.

    Args:
        state: After the bar before.
        strategy: Simple returns beyond those of cash, shape (bars,).
        market: The same of buy and hold.
        weights: Weight held, decided before each bar, shape (bars,).
        periods_per_year: Bars per year.
    """
    claimed = CLAIMED_SHARPE / math.sqrt(periods_per_year)
    columns = (strategy.tolist(), market.tolist(), weights.tolist())
    for earned, moved, weight in zip(*columns, strict=True):
        state = _follow_bar(state, earned, moved, weight, claimed)
        yield state


def measure_beta(state: Evidence) -> float:
    """Return the strategy's share of the market, by least squares; 0 if the market never moved."""
    if not state.bars:
        return 0.0
    spread = state.market_squares - state.market**2 / state.bars
    if spread <= _NO_SPREAD * state.bars:
        return 0.0
    return (state.products - state.market * state.strategy / state.bars) / spread


def _follow_bar(
    state: Evidence, earned: float, moved: float, weight: float, claimed: float
) -> Evidence:
    beta = measure_beta(state)
    usual = state.market / state.bars if state.bars else 0.0
    residual = earned - beta * moved - (weight - beta) * usual
    evidence, counter = _bet(state, residual, claimed)
    standing = _decide(state.standing, evidence, counter)
    if standing == "confirmed":
        counter = max(counter, 0.0) if state.standing == "confirmed" else 0.0
    return Evidence(
        standing=standing,
        bars=state.bars + 1,
        market=state.market + moved,
        strategy=state.strategy + earned,
        market_squares=state.market_squares + moved**2,
        products=state.products + earned * moved,
        residual_squares=state.residual_squares + residual**2,
        recent_variance=_MEMORY * state.recent_variance + (1.0 - _MEMORY) * residual**2,
        log_evidence=evidence,
        log_counter_evidence=counter,
    )


def _bet(state: Evidence, residual: float, claimed: float) -> tuple[float, float]:
    """Return the logarithms of both wealths after a bar."""
    size = _measure_size(state)
    if size == 0.0:
        # The market has explained the strategy entirely: there was nothing to bet on.
        return state.log_evidence, state.log_counter_evidence
    stake = min(claimed, LARGEST_STAKE)
    move = min(max(residual / size, -LARGEST_MOVE), LARGEST_MOVE)
    return (
        state.log_evidence + math.log1p(stake * move),
        state.log_counter_evidence + math.log1p(stake * (claimed - move)),
    )


def _measure_size(state: Evidence) -> float:
    """Return the usual size of a residual: of late, and over all bars, in equal parts."""
    usual = state.residual_squares / state.bars if state.bars else 0.0
    return math.sqrt((usual + state.recent_variance) / 2.0)


def _decide(standing: Standing, evidence: float, counter: float) -> Standing:
    if standing == "withdrawn" or counter >= _LOG_ENOUGH:
        return "withdrawn"
    return "confirmed" if standing == "confirmed" or evidence >= _LOG_ENOUGH else "watching"
