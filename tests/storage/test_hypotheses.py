"""Hypotheses: registered once, and settled by the first research that tests them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from quant.messages.record.hypotheses import Condition, Hypothesis, HypothesisStatus, Verdict
from quant.messages.steps import AssessmentResult
from quant.messages.strategy import FeatureSpec, ModelSpec, StrategySpec
from storage.ledger.ledger import Ledger
from storage.ledger.records import Experiment

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SPEC = StrategySpec(
    name="example",
    features=(FeatureSpec(kind="rsi", period=14), FeatureSpec(kind="adx", period=20)),
    horizon=5,
    threshold=0.02,
    model=ModelSpec(num_leaves=8),
)
LONG_ONLY = Hypothesis(statement="Try long only.", test=(Condition(positions="long_only"),))


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"positions": "long_short"}, True),
        ({"positions": "long_only"}, False),
        ({"horizon_above": 4}, True),
        ({"horizon_above": 5}, False),
        ({"horizon_other_than": 5}, False),
        ({"horizon_other_than": 6}, True),
        ({"threshold_above": 0.01}, True),
        ({"threshold_above": 0.02}, False),
        ({"leaves_below": 9}, True),
        ({"leaves_below": 8}, False),
        ({"features_below": 3}, True),
        ({"features_below": 2}, False),
        ({"only_feature": "rsi"}, False),
        ({"without_feature": "rsi"}, False),
        ({"without_feature": "macd"}, True),
        ({"without_all_of": ("macd", "return")}, True),
        ({"without_all_of": ("macd", "rsi")}, False),
        ({"same_strategy": SPEC.fingerprint()}, True),
        ({"same_strategy": "another"}, False),
        ({"other_symbol_than": "NASDAQ"}, True),
        ({"other_symbol_than": "SP500"}, False),
        ({"positions": "long_short", "horizon_above": 5}, False),
    ],
)
def test_a_condition_holds_for_some_strategies(condition: dict[str, Any], holds: bool) -> None:
    assert Condition(**condition).holds(SPEC, "SP500") is holds


def test_a_hypothesis_is_tested_on_the_bars_on_which_it_arose() -> None:
    spec = SPEC.model_copy(update={"positions": "long_only"})
    assert LONG_ONLY.is_tested_by(spec, "SP500", arose_on="SP500")
    assert not LONG_ONLY.is_tested_by(spec, "NASDAQ", arose_on="SP500")
    assert not LONG_ONLY.is_tested_by(SPEC, "SP500", arose_on="SP500")
    elsewhere = Hypothesis(
        statement="It should work elsewhere.", test=(Condition(other_symbol_than="SP500"),)
    )
    assert elsewhere.is_tested_by(SPEC, "NASDAQ", arose_on="SP500")
    assert not elsewhere.is_tested_by(SPEC, "SP500", arose_on="SP500")
    assert not Hypothesis(statement="Who knows.").is_tested_by(SPEC, "SP500", arose_on="SP500")


def test_a_sentence_of_an_earlier_history_is_a_hypothesis() -> None:
    result = AssessmentResult(
        verdict="poor",
        summary="",
        statistics=None,
        observations=[],
        hypotheses=["Other features may carry a signal."],
        limitations=[],
    )
    assert result.hypotheses == [Hypothesis(statement="Other features may carry a signal.")]


def register(ledger: Ledger, operation_id: str, *hypotheses: Hypothesis) -> None:
    ledger.hypotheses.register(
        hypotheses, operation_id=operation_id, symbol="SP500", timeframe="1d", now=NOW
    )


def settle(ledger: Ledger, operation_id: str, verdict: Verdict, **options: Any) -> list[str]:
    given: dict[str, Any] = {"symbol": "SP500", "timeframe": "1d", "now": NOW} | options
    spec = SPEC.model_copy(update={"positions": "long_only"})
    return ledger.hypotheses.settle(spec, verdict, operation_id=operation_id, **given)


def test_a_suggestion_is_registered_once(ledger: Ledger) -> None:
    again = LONG_ONLY.model_copy(update={"statement": "Longs earned 3 %: try long only."})
    register(ledger, "op_1", LONG_ONLY)
    register(ledger, "op_1", LONG_ONLY)
    register(ledger, "op_2", again, Hypothesis(statement="Who knows."))
    found = ledger.hypotheses.find(limit=10)
    assert sorted(each.statement for each in found) == ["Try long only.", "Who knows."]
    assert {each.status for each in found} == {"open"}


@pytest.mark.parametrize(
    ("verdict", "status"),
    [
        ("promising", "supported"),
        ("mediocre", "inconclusive"),
        ("poor", "refuted"),
        ("no_signal", "refuted"),
    ],
)
def test_the_first_test_settles_it(
    ledger: Ledger, verdict: Verdict, status: HypothesisStatus
) -> None:
    register(ledger, "op_1", LONG_ONLY)
    assert settle(ledger, "op_1", verdict) == []
    assert settle(ledger, "op_2", verdict, symbol="NASDAQ") == []
    assert settle(ledger, "op_2", verdict, timeframe="1h") == []
    [tested] = settle(ledger, "op_3", verdict)
    settle(ledger, "op_3", verdict)
    settle(ledger, "op_4", "promising")
    [found] = ledger.hypotheses.find(limit=10, symbol="SP500")
    assert (found.hypothesis_id, found.status) == (tested, status)
    assert (found.tested_by, found.tested_at) == ("op_3", NOW)
    assert ledger.hypotheses.find(limit=10, status="open") == []


def test_a_designer_names_what_it_tests(ledger: Ledger) -> None:
    register(ledger, "op_1", Hypothesis(statement="Who knows."))
    [known] = ledger.hypotheses.find(limit=10)
    assert settle(ledger, "op_2", "poor", named=[known.hypothesis_id, "hyp_other"]) == [
        known.hypothesis_id
    ]


def test_what_the_walk_forward_suggests_as_well_may_be_told_to_a_designer(ledger: Ledger) -> None:
    by_both = LONG_ONLY.model_copy(update={"by_holdout": False})
    register(ledger, "op_1", LONG_ONLY)
    register(ledger, "op_2", by_both)
    register(ledger, "op_3", LONG_ONLY)
    [found] = ledger.hypotheses.find(limit=10)
    assert (found.by_holdout, found.operation_id) == (False, "op_1")


def test_the_verdict_of_anothers_research_shows_in_no_hypothesis_of_ones_own(
    ledger: Ledger,
) -> None:
    for name, owner in {"op_1": "ann", "op_2": "bob"}.items():
        experiment = Experiment(
            operation_id=name,
            status="completed",
            owner=owner,
            symbol="SP500",
            timeframe="1d",
            seed=1,
            started_at=NOW,
            finished_at=NOW,
        )
        ledger.experiments.record(experiment)
    register(ledger, "op_1", LONG_ONLY)
    settle(ledger, "op_2", "promising")

    [seen_by_ann] = ledger.hypotheses.find(limit=10, owner="ann")
    assert (seen_by_ann.status, seen_by_ann.tested_by, seen_by_ann.tested_at) == (
        "open",
        None,
        None,
    )
    assert ledger.hypotheses.find(limit=10, owner="ann", status="supported") == []
    assert ledger.hypotheses.find(limit=10, owner="ann", status="open") == [seen_by_ann]
    assert ledger.hypotheses.find(limit=10, owner="bob") == []
    [seen_by_all] = ledger.hypotheses.find(limit=10, status="supported")
    assert seen_by_all.tested_by == "op_2"
