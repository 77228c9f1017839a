"""`python -m bench.calibration.rules`: how often a planted rule itself is called promising.

The series are those of the plan, and so are the numbers of trials and looks. It shows what the
conditions cost, apart from the search. It is no limit of what a search can reach: what that finds
may trade more often than the rule, which may have too few round trips.
"""

import argparse
import multiprocessing
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Final

# Before the numerical libraries are loaded: one process per core does the work.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

from bench.calibration import series
from bench.calibration.case import Case, Outcome
from bench.calibration.plan import FIRST_SEED, GROUPS
from bench.calibration.planted import PERIODS
from bench.calibration.rates import count_groups
from bench.figures import Figure, publish
from quant.backtest import metrics
from quant.backtest.random_entries import compare_random_entries
from quant.backtest.simulation import buy_and_hold, simulate
from quant.bars.bars import Bars, Floats
from quant.learning.splits import TRAINING_FOLDS, split_walk_forward
from quant.messages.evidence import Benchmark, RandomEntries
from quant.messages.steps import BacktestResult
from quant.messages.strategy import Costs
from quant.processes import die_with_parent
from quant.steps.backtest import COST_MULTIPLES, build_level
from quant.verdict.criteria import list_criteria
from quant.verdict.significance import measure_significance
from quant.verdict.verdict import decide_verdict
from workflows.interface.messages import ResearchRequest

# A rule is decided anew at every close.
_HORIZON: Final = 1


def main() -> None:
    """Judge the rules of all planted series that live, and publish the rates."""
    parser = argparse.ArgumentParser(prog="bench.calibration.rules", description=__doc__)
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--series", type=int, help="series of each kind, instead of the plan's")
    parser.add_argument("--processes", type=int, help="default: one per core")
    asked = parser.parse_args()
    with ProcessPoolExecutor(
        asked.processes, multiprocessing.get_context("spawn"), initializer=die_with_parent
    ) as pool:
        outcomes = list(pool.map(judge_rule, list_planted(asked.first_seed, asked.series)))
    publish("rules", [*count_groups(outcomes), *count_missed(outcomes)])


def list_planted(first_seed: int, number: int | None = None) -> Iterator[Case]:
    """Yield the cases of the plan with a rule that lives."""
    for group in GROUPS:
        if group.strength is not None and group.fates == ("lives",):
            yield from group.list_cases(first_seed, number)


def count_missed(outcomes: Sequence[Outcome]) -> Iterator[Figure]:
    """Yield for every group and kind how many rules missed which conditions."""
    missed = Counter(
        (each.case.group, each.case.kind, " and ".join(each.missed))
        for each in outcomes
        if not each.is_promising
    )
    for (group, kind, conditions), number in sorted(missed.items()):
        yield Figure(f"{group}: {kind} misses {conditions}", "", number)


def judge_rule(case: Case) -> Outcome:
    """Judge the positions of a planted rule as a research judges those of what it has found.

    The walk-forward has the bars of a strategy whose features look back as far as the rule. Gates
    are left out.

    Raises:
        ValueError: Nothing was planted.
    """
    if case.strength is None:
        raise ValueError("There is no rule in noise.")
    table, states = series.planted_with_states(case.kind, case.strength, case.seed, case.fate)
    bars, costs, period = series.to_bars(table), Costs(), PERIODS[case.kind]
    development, holdout = bars.split()
    [first, *_] = split_walk_forward(
        period, len(development), folds=TRAINING_FOLDS, horizon=_HORIZON
    )
    walked = development.slice(first.test.start, len(development))
    past, targets = states[first.test.start : len(development)], states[len(development) :]
    traded = simulate(holdout, targets, costs)
    random = compare_random_entries(holdout, traded.positions, costs, 2 * period + _HORIZON)
    backtest = _backtest(bars, holdout, targets, costs, random)
    figures = measure_significance(
        traded.returns,
        simulate(walked, past, costs).returns,
        bars.periods_per_year,
        holdout_market=buy_and_hold(holdout).returns,
        walk_forward_market=buy_and_hold(walked).returns,
        trials_ever=ResearchRequest().trials,
        holdout_looks=case.looks,
        timing=random.p_value if random else 1.0,
        seed=case.seed,
    ).figures
    return Outcome(
        case,
        (decide_verdict(figures, backtest, costs),),
        figures.model_dump(),
        tuple(each.name for each in list_criteria(figures, backtest, costs) if not each.passed),
    )


def _backtest(
    bars: Bars, holdout: Bars, targets: Floats, costs: Costs, random: RandomEntries | None
) -> BacktestResult:
    """Return what of a backtest the gates and the verdict look at."""
    year, held = bars.periods_per_year, buy_and_hold(holdout)
    return BacktestResult(
        data=bars.describe(),
        levels=[
            build_level(multiple, simulate(holdout, targets, costs, multiple), year)
            for multiple in COST_MULTIPLES
        ],
        benchmark=Benchmark(
            total_return=metrics.total_return(held.equity),
            sharpe=metrics.annualised_sharpe(held.returns, year),
            max_drawdown=metrics.max_drawdown(held.equity),
        ),
        random_entries=random,
    )


if __name__ == "__main__":
    main()
