"""The verdict table, and the words that explain a verdict."""

import numpy as np
import pytest

from quant.backtest.random_entries import compare_random_entries
from quant.backtest.simulation import buy_and_hold, simulate
from quant.messages.evidence import Statistics
from quant.messages.record.hypotheses import Verdict
from quant.messages.steps import BacktestResult
from quant.messages.strategy import Costs
from quant.verdict.criteria import format_limit, format_value, list_criteria
from quant.verdict.significance import measure_significance
from quant.verdict.verdict import decide_verdict, list_shortfalls, summarise
from tests.support.quant.prices import make_bars
from tests.support.results import SPEC, assessment, backtest, statistics


@pytest.mark.parametrize(
    ("figures", "result", "verdict"),
    [
        (statistics(), backtest(0.4, 0.3, 0.1), "promising"),
        (
            statistics(
                record_p_value=0.05,
                alpha_p_value=0.05,
                holdout_alpha_p_value=0.25,
                confirmed_sharpe=0.9,
                p_value=0.1,
                timing_p_value=0.05,
                deflated_sharpe=0.1,
            ),
            backtest(0.4, 0.3, 0.1, trades=10),
            "promising",
        ),
        (statistics(record_p_value=0.051), backtest(0.4, 0.3, 0.1), "mediocre"),
        (statistics(record_p_value=None), backtest(0.4, 0.3, 0.1), "mediocre"),
        (statistics(alpha_p_value=0.051), backtest(0.4, 0.3, 0.1), "mediocre"),
        (statistics(holdout_alpha_p_value=0.26), backtest(0.4, 0.3, 0.1), "mediocre"),
        (
            statistics(holdout_alpha_p_value=0.6, holdout_alpha=-0.01),
            backtest(0.4, 0.3, 0.1),
            "poor",
        ),
        (statistics(), backtest(0.4, 0.3, 0.1, trades=9), "mediocre"),
        (statistics(confirmed_sharpe=0.89), backtest(0.4, 0.3, 0.1), "mediocre"),
        (statistics(p_value=0.11), backtest(0.4, 0.3, 0.1), "mediocre"),
        (statistics(timing_p_value=0.06), backtest(0.4, 0.3, 0.1), "mediocre"),
        (statistics(timing_p_value=0.26), backtest(0.4, 0.3, 0.1), "poor"),
        (statistics(), backtest(0.4, 0.3, 0.0), "mediocre"),
        (
            statistics(record_p_value=0.2, probabilistic_sharpe=0.90),
            backtest(0.4, 0.3, 0.1),
            "mediocre",
        ),
        (
            statistics(record_p_value=0.2, probabilistic_sharpe=0.89),
            backtest(0.4, 0.3, 0.1),
            "poor",
        ),
        (statistics(), backtest(0.4, 0.0, -0.1), "poor"),
        (statistics(sharpe=0.0), backtest(0.4, 0.3, 0.1), "no_signal"),
        (statistics(), backtest(0.4, 0.3, 0.1, trades=0), "no_signal"),
        (None, backtest(0.4, 0.3, 0.1), "no_signal"),
        (None, None, "no_signal"),
    ],
)
def test_verdict_table(
    figures: Statistics | None, result: BacktestResult | None, verdict: Verdict
) -> None:
    assert decide_verdict(figures, result, Costs()) == verdict


def test_a_strategy_that_trades_for_free_is_not_promising_and_is_told_why() -> None:
    free = Costs(commission=0.0, slippage=0.0)
    result = backtest(0.4, 0.4, 0.4)
    assert decide_verdict(statistics(), result, free) == "mediocre"
    inp = assessment(result)
    inp = inp.model_copy(update={"spec": SPEC.model_copy(update={"costs": free})})
    assert "it falls short: it assumes that trading costs nothing." in summarise(inp, statistics())
    for costs in (Costs(commission=0.0), Costs(slippage=0.0)):
        assert decide_verdict(statistics(), result, costs) == "promising"


def test_summary_gives_the_figures_in_two_sentences() -> None:
    assert summarise(assessment(backtest(0.4, 0.3, 0.1)), statistics()) == (
        "On the holdout example returned 30.0% after costs in 50 trades, with a Sharpe ratio of "
        "1.50 (95 % interval 0.50 to 2.50); buy and hold returned 70.0%. "
        "With 412 trials on these bars and at the 9th look at this holdout, it meets every "
        "condition: so good a record is the best of as many worthless candidates with 1.0% "
        "probability, and it earned 12.0% per year beyond its share of buy and hold."
    )


def test_summary_says_which_figure_fails_and_by_how_much() -> None:
    weak = statistics(
        record_p_value=0.42,
        alpha_p_value=0.3,
        holdout_alpha_p_value=0.4,
        confirmed_sharpe=0.5,
        p_value=0.3,
        timing_p_value=0.6,
        trials_ever=1,
    )
    lossy = backtest(0.4, 0.3, -0.1, trades=4)

    assert summarise(assessment(lossy), weak).endswith(
        "With 1 trial on these bars and at the 9th look at this holdout, it falls short: the best "
        "of 1 candidate without skill has a Sharpe ratio of 1.20 over walk-forward and holdout "
        "with 42.0% probability (limit: 5%); the best of 1 candidate without skill beats buy and "
        "hold as clearly over walk-forward and holdout with 30.0% probability (limit: 5%); the "
        "holdout alone confirms it with 50% probability (required: 90%); the p-value against not "
        "trading is 0.30 (limit: 0.10); the p-value against buy and hold on the holdout is 0.40 "
        "(limit: 0.25); the p-value against the same positions at random times is 0.60 (limit: "
        "0.05); 4 round trips on the holdout may be chance (required: 10); the return after "
        "double cost is -10.0%."
    )
    criteria = list_criteria(weak, backtest(0.4, -0.3, -0.1, trades=4), Costs())
    assert len(list_shortfalls(criteria)) == 9


def test_every_condition_has_a_value_a_limit_and_an_outcome() -> None:
    criteria = list_criteria(statistics(), backtest(0.4, 0.3, 0.1, trades=4), Costs())
    shown = {each.name: (format_value(each), format_limit(each), each.passed) for each in criteria}
    assert shown["record_p_value"] == ("1.0%", "at most 5.0%", True)
    assert shown["confirmed_sharpe"] == ("98.0%", "at least 90.0%", True)
    assert shown["round_trips"] == ("4", "at least 10", False)
    assert shown["return_at_double_cost"] == ("10.0%", "above 0.0%", True)
    assert shown["cost_per_side"] == ("0.100%", "above 0.000%", True)
    assert [each.name for each in criteria if each.shortfall] == ["round_trips"]


@pytest.mark.parametrize(
    ("looks", "said"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (11, "11th"), (22, "22nd"), (1113, "1,113th")],
)
def test_looks_are_counted_as_people_do(looks: int, said: str) -> None:
    text = summarise(assessment(backtest(0.4, 0.3, 0.1)), statistics(holdout_looks=looks))

    assert f"the {said} look at this holdout" in text


def test_summary_of_a_rejection_gives_its_reason() -> None:
    assert summarise(assessment(None), None) == (
        "The research ended at a gate: 2 trades on the holdout. "
        "In walk-forward on development data the log loss was 0.6800, against 0.6900 for the base "
        "rate."
    )


def test_holding_a_money_market_fund_is_never_promising() -> None:
    """It rises every day, so its Sharpe ratio is enormous; holding it is no skill."""
    fund = make_bars(
        100.0 * np.exp(np.cumsum(0.0001 + 1e-5 * np.random.default_rng(0).random(900)))
    )
    held = simulate(fund, np.ones(900), Costs())
    random = compare_random_entries(fund, held.positions[:, 0], Costs(), 40)
    market = buy_and_hold(fund).returns

    figures = measure_significance(
        held.returns[630:],
        held.returns[:630],
        fund.periods_per_year,
        holdout_market=market[630:],
        walk_forward_market=market[:630],
        trials_ever=1,
        holdout_looks=1,
        timing=random.p_value if random else 1.0,
        seed=1,
    ).figures

    assert figures.sharpe > 20.0 and figures.record_p_value is not None
    assert random is None
    missed = {
        each.name
        for each in list_criteria(figures, backtest(0.1, 0.1, 0.1, trades=1), Costs())
        if not each.passed
    }
    assert {"alpha_p_value", "holdout_alpha_p_value", "timing_p_value", "round_trips"} <= missed
    assert decide_verdict(figures, backtest(0.1, 0.1, 0.1, trades=50), Costs()) != "promising"
