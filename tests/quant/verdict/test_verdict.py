"""The verdict table, and the words that explain a verdict."""

import pytest

from quant.messages.evidence import Statistics
from quant.messages.hypotheses import Verdict
from quant.messages.steps import BacktestResult
from quant.messages.strategy import Costs
from quant.verdict.verdict import decide_verdict, list_shortfalls, summarise
from tests.support.results import SPEC, assessment, backtest, statistics


@pytest.mark.parametrize(
    ("figures", "result", "verdict"),
    [
        (statistics(), backtest(0.4, 0.3, 0.1), "promising"),
        (
            statistics(
                deflated_sharpe=0.95, confirmed_sharpe=0.9, p_value=0.1, timing_p_value=0.05
            ),
            backtest(0.4, 0.3, 0.1),
            "promising",
        ),
        (statistics(deflated_sharpe=0.94), backtest(0.4, 0.3, 0.1), "mediocre"),
        (statistics(confirmed_sharpe=0.89), backtest(0.4, 0.3, 0.1), "mediocre"),
        (statistics(p_value=0.11), backtest(0.4, 0.3, 0.1), "mediocre"),
        (statistics(timing_p_value=0.06), backtest(0.4, 0.3, 0.1), "mediocre"),
        (statistics(timing_p_value=0.26), backtest(0.4, 0.3, 0.1), "poor"),
        (statistics(), backtest(0.4, 0.3, 0.0), "mediocre"),
        (
            statistics(deflated_sharpe=0.2, probabilistic_sharpe=0.90),
            backtest(0.4, 0.3, 0.1),
            "mediocre",
        ),
        (
            statistics(deflated_sharpe=0.2, probabilistic_sharpe=0.89),
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
        "With 412 trials on these bars and at the 9th look at this holdout, it is better than the "
        "best result expected by chance with 97% probability, and the holdout alone confirms it "
        "with 98%."
    )


def test_summary_says_which_figure_fails_and_by_how_much() -> None:
    weak = statistics(
        deflated_sharpe=0.42,
        confirmed_sharpe=0.5,
        p_value=0.3,
        timing_p_value=0.6,
        trials_ever=1,
    )
    lossy = backtest(0.4, 0.3, -0.1)

    assert summarise(assessment(lossy), weak).endswith(
        "With 1 trial on these bars and at the 9th look at this holdout, it falls short: a Sharpe "
        "ratio of 1.20 over walk-forward and holdout is better than the best of 1 worthless "
        "candidates with 42% probability (required: 95%); the holdout alone confirms it with 50% "
        "probability (required: 90%); the p-value against not trading is 0.30 (limit: 0.10); the "
        "p-value against the same positions at random times is 0.60 (limit: 0.05); the return "
        "after double cost is -10.0%."
    )
    assert len(list(list_shortfalls(weak, backtest(0.4, -0.3, -0.1), Costs()))) == 6


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
