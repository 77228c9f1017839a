"""What a report draws of instruments: their prices, and what they have in common."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

from quant.backtest.account import Account
from quant.bars.bars import Floats
from quant.messages.report.curves import Correlations, InstrumentFigures, PriceCurve
from quant.universe.figures import compute_moves, correlate
from quant.universe.universe import Universe

# A larger map would not fit on a page.
MOST_CORRELATED: Final = 30
# All curves of a report together, and each of them.
_POINTS: Final = 60_000
_FEWEST_POINTS: Final = 120
_MOST_POINTS: Final = 1_000
_DIGITS: Final = 6


def thin_prices(traded: Universe) -> list[PriceCurve]:
    """Return the closes of each instrument, in their order: so many as a figure can show."""
    most = min(max(_POINTS // len(traded.instruments), _FEWEST_POINTS), _MOST_POINTS)
    curves = []
    for bars, place in zip(traded.instruments, traded.places, strict=True):
        kept = np.unique(np.linspace(0, len(bars) - 1, min(len(bars), most)).round().astype(int))
        curves.append(
            PriceCurve(
                symbol=bars.symbol,
                bars=place[kept].tolist(),
                closes=[float(f"{close:.{_DIGITS}g}") for close in bars.close[kept]],
            )
        )
    return curves


def correlate_instruments(
    traded: Universe, run: Account, figures: Sequence[InstrumentFigures]
) -> Correlations | None:
    """Return the correlations of the instruments that contributed most; None if there is one.

    Args:
        traded: The bars that were traded.
        run: The account that traded them.
        figures: What each instrument contributed, in their order.
    """
    if traded.is_single:
        return None
    moves = compute_moves(traded.closes)
    held = np.concatenate([np.zeros_like(moves[:1]), run.positions[:-1]])
    returns, contributions = correlate(moves), correlate(held * np.nan_to_num(moves))
    profit = np.abs([each.profit for each in figures])
    shown = np.sort(np.argsort(-profit, kind="stable")[:MOST_CORRELATED])
    shown = shown[_order(returns[np.ix_(shown, shown)])]
    return Correlations(
        symbols=[traded.symbols[number] for number in shown],
        returns=_write(returns[np.ix_(shown, shown)]),
        contributions=_write(contributions[np.ix_(shown, shown)]),
        mean_return=_average(returns),
        mean_contribution=_average(contributions),
    )


def _order(correlations: Floats) -> np.ndarray:
    """Return an order in which instruments that move together are neighbours."""
    if len(correlations) < 3:
        return np.arange(len(correlations))
    distance = 1.0 - np.nan_to_num(correlations)
    np.fill_diagonal(distance, 0.0)
    tree = linkage(squareform(distance, checks=False), method="average")
    return np.asarray(leaves_list(tree))


def _average(correlations: Floats) -> float | None:
    """Return the mean over all pairs whose correlation is known; None if there are none."""
    pairs = correlations[np.triu_indices(len(correlations), 1)]
    known = pairs[~np.isnan(pairs)]
    return float(known.mean()) if len(known) else None


def _write(correlations: Floats) -> list[list[float | None]]:
    return [
        [None if np.isnan(each) else round(float(each), 3) for each in row] for row in correlations
    ]
