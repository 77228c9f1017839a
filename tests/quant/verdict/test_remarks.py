"""The remarks on a research, and its hypotheses."""

from typing import Any

import pytest

from quant.messages.data import DataSource
from quant.messages.evidence import Neighbour, Stability
from quant.messages.report.curves import Curves
from quant.messages.steps import AssessmentInput
from quant.verdict.hypotheses import suggest_hypotheses
from quant.verdict.remarks import list_limitations, list_observations
from tests.support.results import assessment, backtest, curves, statistics


def test_observations_name_the_most_important_feature_first() -> None:
    text = " ".join(
        list_observations(assessment(backtest(0.4, 0.3, 0.1)), statistics(), None, None)
    )

    assert "rsi_14 (50%), adx_20 (40%)" in text
    assert "40.0%, 30.0%, 10.0%" in text


def test_observations_compare_with_chance_and_with_neighbours() -> None:
    inp = assessment(backtest(0.4, 0.3, 0.1))
    close_by = Stability(
        sharpe=0.9,
        neighbours=(Neighbour(change="horizon 3", sharpe=0.2), Neighbour(change="x", sharpe=None)),
    )

    text = " ".join(list_observations(inp, statistics(), curves((1, 0.01), (1, 0.03)), close_by))

    assert "500 accounts with the same positions at other times, 2% did at least as well" in text
    assert "median Sharpe ratio 0.10 in the walk-forward of a search, 3 folds;" in text
    assert "this one has 0.90 there, a peak" in text
    assert "The average trade earned 200 basis points after costs of 20." in text


def test_capacity_is_told_of_what_can_be_traded() -> None:
    inp = assessment(backtest(0.4, 0.3, 0.1))
    own = inp.model_copy(update={"data": DataSource(symbol="SPY")})

    assert "2,500,000" in " ".join(list_observations(own, statistics(), None, None))
    assert "2,500,000" not in " ".join(list_observations(inp, statistics(), None, None))


def test_a_model_without_splits_has_no_important_features() -> None:
    inp = assessment(None, feature_importance={"rsi_14": 0.0, "adx_20": 0.0})

    assert "important" not in " ".join(list_observations(inp, None, None, None))


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
    assert expected in " ".join(each.statement for each in suggest_hypotheses(inp, traded))


@pytest.mark.parametrize("learnt", [{}, {"log_loss": 0.7}, {"feature_importance": {"adx_20": 1.0}}])
def test_hypotheses_for_a_designer_are_the_same_whatever_the_holdout_shows(
    learnt: dict[str, Any],
) -> None:
    alone = suggest_hypotheses(assessment(None, **learnt), None)
    assert alone and not any(each.by_holdout for each in alone)
    for result, traded in (
        (backtest(0.4, 0.3, 0.1), curves((1, 0.3), (-1, -0.1))),
        (backtest(0.1, -0.1, -0.3, sharpe=-0.2), curves((1, -0.3), (-1, 0.1))),
        (backtest(0.0, 0.0, 0.0, sharpe=0.0), curves()),
    ):
        found = suggest_hypotheses(assessment(result, **learnt), traded)
        assert [each for each in found if not each.by_holdout] == alone


def test_a_record_that_is_too_short_is_a_limitation() -> None:
    inp = assessment(backtest(0.4, 0.3, 0.1))

    assert "About 300 bars" in " ".join(list_limitations(inp, statistics(), curves()))
    enough = statistics(minimum_track_record=150.0)
    assert "bars of such returns" not in " ".join(list_limitations(inp, enough, curves()))


def test_an_index_is_named_as_not_tradable() -> None:
    inp = assessment(backtest(0.4, 0.3, 0.1))
    own = inp.model_copy(update={"data": DataSource(symbol="SPY")})

    assert "cannot be traded directly" in " ".join(list_limitations(inp, None, None))
    assert "cannot be traded directly" not in " ".join(list_limitations(own, None, None))
