"""Checks before a start that there are enough bars for it: `python -m quant.universe.readiness`.

It loads the numerical libraries, which the API never does, so the API runs it as a process of its
own. Reads a `ReadinessCheck` from standard input and writes to standard output a `ReadinessAnswer`
for each of its questions, one a line, as soon as it is known.
"""

import os
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from errors import InvalidData, InvalidInput
from quant.bars.loader import Shelf, open_shelf
from quant.learning.splits import TRAINING_FOLDS, split_walk_forward
from quant.messages.data import DataSource
from quant.messages.readiness import ReadinessAnswer, ReadinessCheck, Unready, WantedBars
from quant.messages.strategy import StrategySpec
from quant.processes import die_with_parent
from quant.strategy.weights import require_measured_volatility
from quant.universe.benchmark import load_benchmark
from quant.universe.loader import find_traded, load_universe
from quant.universe.universe import Universe

# The least that any candidate of a search asks for.
_SHORTEST_PERIOD = 5
_SHORTEST_HORIZON = 1


def require_bars(wanted: WantedBars, bars: Universe, data_dir: Shelf | Path | None) -> None:
    """Check that a step that uses these bars will not end for a want of them.

    Args:
        wanted: What is asked.
        bars: The bars that it names.
        data_dir: Directory of the user's bars, or its shelf; None if there are none.

    Raises:
        UnknownSymbol: No such symbol.
        InvalidInput: There are too few bars for the strategy. `field` says what asks for so many.
        InvalidData: The bars cannot be trusted, or there are too few on these days.
    """
    load_benchmark(wanted.benchmark, bars, data_dir)
    if wanted.days is not None:
        first, _ = find_traded(bars, wanted.days)
        if wanted.spec is not None:
            require_measured_volatility(wanted.spec, first)
        return
    development, _ = bars.split()
    if wanted.spec is None:
        _require_searchable(development, wanted.data)
    else:
        _require_trainable(development, wanted.spec)


def _require_searchable(development: Universe, data: DataSource) -> None:
    bars = len(development)
    try:
        split_walk_forward(_SHORTEST_PERIOD, bars, folds=TRAINING_FOLDS, horizon=_SHORTEST_HORIZON)
    except InvalidInput as error:
        start, end = data.start_date, data.end_date
        days = f" from {start or 'the first'} to {end or 'the last'}" if start or end else ""
        raise InvalidData(
            f"{data.symbol} {data.timeframe} has bars at {bars} times before its holdout{days}; "
            f"that is too few for {TRAINING_FOLDS} walk-forward folds of any strategy.",
            field="start_date" if start else "end_date" if end else "symbols",
        ) from error


def _require_trainable(development: Universe, spec: StrategySpec) -> None:
    # They load TA-Lib, which no other check needs.
    from quant.learning.panel import Panel  # noqa: PLC0415
    from quant.strategy.table import FeatureTable  # noqa: PLC0415

    panel = Panel.make(FeatureTable(development), spec)
    first, *_ = panel.split(TRAINING_FOLDS, spec.horizon)
    require_measured_volatility(spec, first.test.start)


def answer_all(asked: ReadinessCheck) -> Iterator[ReadinessAnswer]:
    """Yield the answer to each question. Bars that several in a row name are loaded once."""
    with open_shelf(asked.data_dir) as shelf:
        for data, questions in groupby(asked.wanted, key=lambda wanted: wanted.data):
            bars: Universe | None = None
            problem: Unready | None = None
            try:
                bars = load_universe(data, shelf)
            except InvalidInput as error:
                problem = _describe(error)
            for wanted in questions:
                if bars is not None:
                    problem = _find_problem(wanted, bars, shelf)
                yield ReadinessAnswer(problem=problem)


def _find_problem(wanted: WantedBars, bars: Universe, shelf: Shelf) -> Unready | None:
    try:
        require_bars(wanted, bars, shelf)
    except InvalidInput as error:
        return _describe(error)
    return None


def _describe(error: InvalidInput) -> Unready:
    return Unready(message=error.message, field=error.field)


def main() -> None:
    """Answer what is asked. The one argument says how far to let others go first."""
    os.nice(int(sys.argv[1]))
    die_with_parent()
    asked = ReadinessCheck.model_validate_json(sys.stdin.buffer.read())
    for answer in answer_all(asked):
        sys.stdout.write(f"{answer.model_dump_json()}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
