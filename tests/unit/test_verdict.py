"""The verdict table, and the words around it."""

from typing import Any

import pytest

from quant.curves import Curves, TradeRecord
from quant.evidence import Benchmark, CostLevel, Neighbour, RandomEntries, Stability, Statistics
from quant.hypotheses import Verdict
from quant.models import (
    AssessmentInput,
    BacktestResult,
    DataInfo,
    DataSource,
    TrainingResult,
)
from quant.remarks import hypotheses, limitations, observations
from quant.spec import FeatureSpec, StrategySpec
from quant.verdict import decide, shortfalls, summary

INFO = DataInfo(
    symbol="SP500",
    timeframe="1d",
    bars=5031,
    start="1999-01-04T00:00:00Z",
    end="2018-12-31T00:00:00Z",
    holdout_start="2013-01-02T00:00:00Z",
    content_hash="0" * 64,
)
SPEC = StrategySpec(
    name="example",
    features=(FeatureSpec(kind="rsi", period=14), FeatureSpec(kind="adx", period=20)),
)


def statistics(**changes: Any) -> Statistics:
    strong = Statistics(
        sharpe=1.5,
        sharpe_low=0.5,
        sharpe_high=2.5,
        p_value=0.01,
        probabilistic_sharpe=0.999,
        confirmed_sharpe=0.98,
        deflated_sharpe=0.97,
        expected_best_sharpe=0.6,
        record_sharpe=1.2,
        record_bars=4100,
        trials_ever=412,
        holdout_looks=9,
        timing_p_value=0.02,
        minimum_track_record=300.0,
    )
    return strong.model_copy(update=changes)


def backtest(*returns: float, trades: int = 50, sharpe: float = 0.8) -> BacktestResult:
    """Build a result with these total returns at 0x, 1x and 2x cost."""
    levels = [
        CostLevel(
            cost_multiple=float(multiple),
            total_return=total,
            annual_return=total / 6,
            annual_volatility=0.15,
            sharpe=sharpe,
            max_drawdown=0.2,
            trades=trades,
            win_rate=0.5,
            exposure=0.6,
            turnover=12.5,
        )
        for multiple, total in enumerate(returns)
    ]
    benchmark = Benchmark(total_return=0.7, sharpe=0.8, max_drawdown=0.22)
    random = RandomEntries(
        paths=500, as_good=0.02, median_sharpe=0.1, high_sharpe=0.9, p_value=0.015
    )
    return BacktestResult(
        data=INFO,
        levels=levels,
        benchmark=benchmark,
        random_entries=random,
        capacity=2_500_000.0,
    )


def assessment(result: BacktestResult | None, **training: Any) -> AssessmentInput:
    skilled = TrainingResult(
        data=INFO,
        model_sha256="0" * 64,
        iterations=100,
        folds=[],
        log_loss=0.68,
        baseline_log_loss=0.69,
        accuracy=0.55,
        auc=0.56,
        sharpe=0.9,
        feature_importance={"adx_20": 0.4, "rsi_14": 0.5},
    )
    return AssessmentInput(
        operation_id="research",
        data=DataSource(symbol="SP500"),
        spec=SPEC,
        seed=1,
        training=skilled.model_copy(update=training),
        backtest=result,
        gate_rejection=None if result else "2 trades on the holdout",
        trials_ever=12,
    )


def curves(*trades: tuple[int, float]) -> Curves:
    """Build the curves of a holdout of 200 bars with trades of this direction and profit."""
    nothing = [0.0] * 200
    return Curves(
        timestamps=["2018-01-02T00:00:00Z"] * 200,
        equity={"1x": nothing},
        benchmark_equity=nothing,
        drawdown=nothing,
        returns=nothing,
        trades=[
            TradeRecord(
                entry_time="2018-01-02T00:00:00Z",
                exit_time="2018-01-03T00:00:00Z",
                direction=direction,
                entry_price=100.0,
                exit_price=101.0,
                size=0.01,
                profit=profit,
                net_return=profit,
                costs=0.001,
            )
            for direction, profit in trades
        ],
    )


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
    assert decide(figures, result) == verdict


def test_summary_gives_the_figures_in_two_sentences() -> None:
    assert summary(assessment(backtest(0.4, 0.3, 0.1)), statistics()) == (
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

    assert summary(assessment(lossy), weak).endswith(
        "With 1 trial on these bars and at the 9th look at this holdout, it falls short: a Sharpe "
        "ratio of 1.20 over walk-forward and holdout is better than the best of 1 worthless "
        "candidates with 42% probability (required: 95%); the holdout alone confirms it with 50% "
        "probability (required: 90%); the p-value against not trading is 0.30 (limit: 0.10); the "
        "p-value against the same positions at random times is 0.60 (limit: 0.05); the return "
        "after double cost is -10.0%."
    )
    assert len(list(shortfalls(weak, backtest(0.4, -0.3, -0.1)))) == 6


@pytest.mark.parametrize(
    ("looks", "said"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (11, "11th"), (22, "22nd"), (1113, "1,113th")],
)
def test_looks_are_counted_as_people_do(looks: int, said: str) -> None:
    text = summary(assessment(backtest(0.4, 0.3, 0.1)), statistics(holdout_looks=looks))

    assert f"the {said} look at this holdout" in text


def test_summary_of_a_rejection_gives_its_reason() -> None:
    assert summary(assessment(None), None) == (
        "The research ended at a gate: 2 trades on the holdout. "
        "In walk-forward on development data the log loss was 0.6800, against 0.6900 for the base "
        "rate."
    )


def test_observations_name_the_most_important_feature_first() -> None:
    text = " ".join(observations(assessment(backtest(0.4, 0.3, 0.1)), statistics(), None, None))

    assert "rsi_14 (50%), adx_20 (40%)" in text
    assert "40.0%, 30.0%, 10.0%" in text


def test_observations_compare_with_chance_and_with_neighbours() -> None:
    inp = assessment(backtest(0.4, 0.3, 0.1))
    close_by = Stability(
        sharpe=0.9,
        neighbours=(Neighbour(change="horizon 3", sharpe=0.2), Neighbour(change="x", sharpe=None)),
    )

    text = " ".join(observations(inp, statistics(), curves((1, 0.01), (1, 0.03)), close_by))

    assert "500 accounts with the same positions at random times, 2% did at least as well" in text
    assert "median Sharpe ratio 0.10 in the walk-forward of a search, 3 folds;" in text
    assert "this one has 0.90 there, a peak" in text
    assert "The average trade earned 200 basis points after costs of 20." in text


def test_capacity_is_told_of_what_can_be_traded() -> None:
    inp = assessment(backtest(0.4, 0.3, 0.1))
    own = inp.model_copy(update={"data": DataSource(symbol="SPY")})

    assert "2,500,000" in " ".join(observations(own, statistics(), None, None))
    assert "2,500,000" not in " ".join(observations(inp, statistics(), None, None))


def test_a_model_without_splits_has_no_important_features() -> None:
    inp = assessment(None, feature_importance={"rsi_14": 0.0, "adx_20": 0.0})

    assert "important" not in " ".join(observations(inp, None, None, None))


@pytest.mark.parametrize(
    ("inp", "traded", "expected"),
    [
        (assessment(None, log_loss=0.70), None, "rsi do not predict the direction over 5 bars"),
        (
            assessment(None, feature_importance={"rsi_14": 0.8, "adx_20": 0.2}),
            None,
            "rsi_14 carries most of the model",
        ),
        (assessment(backtest(0.1, -0.1, -0.3)), None, "fewer trades"),
        (assessment(backtest(0.1, -0.1, -0.3, sharpe=-0.2)), None, "simpler model"),
        (assessment(backtest(0.4, 0.3, 0.1)), None, "related instrument"),
        (assessment(None), curves((1, 0.3), (-1, -0.1)), "try long only"),
        (assessment(None), curves((1, -0.3), (-1, 0.1)), "falls better than rises"),
        (assessment(None), curves((1, 0.3), (-1, 0.1)), "Other features"),
    ],
)
def test_hypotheses_follow_from_the_figures(
    inp: AssessmentInput, traded: Curves | None, expected: str
) -> None:
    assert expected in " ".join(each.statement for each in hypotheses(inp, traded))


def test_a_record_that_is_too_short_is_a_limitation() -> None:
    inp = assessment(backtest(0.4, 0.3, 0.1))

    assert "About 300 bars" in " ".join(limitations(inp, statistics(), curves()))
    enough = statistics(minimum_track_record=150.0)
    assert "bars of such returns" not in " ".join(limitations(inp, enough, curves()))


def test_an_index_is_named_as_not_tradable() -> None:
    inp = assessment(backtest(0.4, 0.3, 0.1))
    own = inp.model_copy(update={"data": DataSource(symbol="SPY")})

    assert "cannot be traded directly" in " ".join(limitations(inp, None, None))
    assert "cannot be traded directly" not in " ".join(limitations(own, None, None))
