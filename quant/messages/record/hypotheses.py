"""Hypotheses: what an assessment suggests to test next, and which strategies test it."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from quant.messages.base import FrozenModel
from quant.messages.strategy import Positions, StrategySpec

HypothesisStatus = Literal["open", "supported", "refuted", "inconclusive"]
Verdict = Literal["promising", "mediocre", "poor", "no_signal"]

MAX_STATEMENT = 500

# The outcome of a hypothesis by the verdict on the strategy that tests it.
OUTCOME: dict[Verdict, HypothesisStatus] = {
    "promising": "supported",
    "mediocre": "inconclusive",
    "poor": "refuted",
    "no_signal": "refuted",
}


class Condition(FrozenModel):
    """Which strategies test a hypothesis. Every field that is set must hold."""

    positions: Positions | None = None
    horizon_above: int | None = Field(None, description="Bars")
    horizon_other_than: int | None = Field(None, description="Bars")
    threshold_above: float | None = None
    leaves_below: int | None = None
    features_below: int | None = Field(None, description="Number of features")
    only_feature: str | None = Field(None, description="Kind of the only feature")
    without_feature: str | None = Field(None, description="Kind")
    without_all_of: tuple[str, ...] = Field((), description="None of these kinds of feature")
    same_strategy: str | None = Field(None, description="Fingerprint")
    other_symbol_than: str | None = None

    def holds(self, spec: StrategySpec, symbol: str) -> bool:
        """Return whether this strategy, on the bars of this symbol, meets the condition."""
        kinds = {feature.kind for feature in spec.features}
        wanted: dict[str, bool] = {
            "positions": spec.positions == self.positions,
            "horizon_above": spec.horizon > (self.horizon_above or 0),
            "horizon_other_than": spec.horizon != self.horizon_other_than,
            "threshold_above": spec.threshold > (self.threshold_above or 0.0),
            "leaves_below": spec.model.num_leaves < (self.leaves_below or 0),
            "features_below": len(spec.features) < (self.features_below or 0),
            "only_feature": kinds == {self.only_feature},
            "without_feature": self.without_feature not in kinds,
            "without_all_of": kinds.isdisjoint(self.without_all_of),
            "same_strategy": spec.fingerprint() == self.same_strategy,
            "other_symbol_than": symbol != self.other_symbol_than,
        }
        return all(wanted[name] for name in self.model_dump(exclude_defaults=True))

    @property
    def concerns_other_symbols(self) -> bool:
        """Whether it holds only on other instruments than the one on which it arose."""
        return self.other_symbol_than is not None


class Hypothesis(FrozenModel):
    """One sentence, and the strategies that test it."""

    statement: str = Field(max_length=MAX_STATEMENT)
    test: tuple[Condition, ...] = Field(
        (), description="Any of these tests it; none if only people can judge"
    )
    by_holdout: bool = Field(
        True,
        description="Whether the holdout may have led to it. No designer is shown such a one, "
        "because its strategies will trade the same holdout",
    )

    def is_tested_by(self, spec: StrategySpec, symbol: str, *, arose_on: str) -> bool:
        """Return whether a strategy on the bars of `symbol` tests this hypothesis.

        Args:
            spec: The strategy.
            symbol: The instrument that it trades.
            arose_on: The symbol on which the hypothesis arose.
        """
        return any(
            condition.holds(spec, symbol)
            for condition in self.test
            if condition.concerns_other_symbols or symbol == arose_on
        )


def _read_sentence(value: Any) -> Any:
    # Early histories and artifacts hold the sentence alone.
    return {"statement": value} if isinstance(value, str) else value


AnyHypothesis = Annotated[Hypothesis, BeforeValidator(_read_sentence)]
