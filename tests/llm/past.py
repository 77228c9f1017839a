"""Experiments that others have made."""

from datetime import UTC, datetime, timedelta

from quant.messages.record.hypotheses import Hypothesis
from storage.ledger.ledger import Ledger
from storage.ledger.records import Experiment

_THEN = datetime(2026, 1, 1, tzinfo=UTC)
_SUGGESTED = Hypothesis(statement="Volume may carry a signal.", by_holdout=False)


def remember_experiments(ledger: Ledger, count: int, brief: str | None = None) -> str:
    """Record experiments, of which each is better in development than the one before it.

    Their horizon is their number. Returns the id of an open hypothesis.
    """
    for number in range(count):
        # On the holdout the last are the worst: no order of what is told may come from there.
        figures = {"sharpe": 0.123, "deflated_sharpe": 1.0 - number / count}
        ledger.experiments.record(
            Experiment(
                operation_id=f"op_agent_research_past_{number}",
                status="completed",
                owner="ann",
                symbol="SP500",
                timeframe="1d",
                seed=1,
                brief=brief,
                strategy={"name": "past", "horizon": number, "description": brief or ""},
                metrics={
                    "statistics": figures,
                    "development_sharpe": number / 10.0,
                    "backtest_result": {"total_return": 0.123},
                },
                verdict="poor",
                started_at=_THEN,
                finished_at=_THEN + timedelta(hours=number),
            )
        )
    ledger.hypotheses.register(
        [_SUGGESTED],
        operation_id="op_agent_research_past_0",
        symbol="SP500",
        timeframe="1d",
        now=_THEN,
    )
    [hypothesis] = ledger.hypotheses.find(status="open", limit=1)
    return hypothesis.hypothesis_id
