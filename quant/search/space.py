"""The search space of the `search` designer."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

import optuna

from errors import InvalidInput
from quant.brief.words import ALL_KINDS, FAMILIES, order_kinds
from quant.messages.strategy import CENTRES, FeatureKind, FeatureSpec, ModelSpec, StrategySpec

ParameterValue = bool | int | float | str
Parameters = dict[str, ParameterValue]
"""The choices that make a candidate, by name."""

PERIODS: Final = (5, 10, 20, 40, 80, 160)
HORIZONS: Final = (1, 2, 3, 5, 10, 20)
LEARNING_RATES: Final = (0.01, 0.02, 0.03, 0.05, 0.08)
REGULARISATIONS: Final = (0.1, 1.0, 10.0, 100.0)
BARS_PER_PERIOD: Final = 20
LEAF_STEP: Final = 20
MOST_LEAF_STEPS: Final = 10
# The first fold trains on a quarter of the bars. A leaf of a simple model has a quarter of those.
BARS_PER_LEAF: Final = 16 * LEAF_STEP

# A search first tries simple models of the usual features. Trees with one split find most of what
# there is to find, and fit little noise where there is nothing.
USUAL_PERIODS: Final[Mapping[FeatureKind, int]] = MappingProxyType(
    {
        "return": 5,
        "sma_ratio": 20,
        "rsi": 10,
        "range_position": 20,
        "volatility": 20,
        "volume_ratio": 80,
    }
)
SIMPLE_MODEL: Final = MappingProxyType(
    {
        "horizon": 3,
        "threshold": 0.02,
        "long_only": False,
        "num_iterations": 40,
        "learning_rate": 0.05,
        "num_leaves": 2,
        "lambda_l2": 1.0,
    }
)

# Then slow trends, each alone. They lie between the usual features, which miss them, and pay over a
# longer time.
SLOW_TRENDS: Final[Mapping[FeatureKind, int]] = MappingProxyType(
    {"return": 40, "ema_ratio": 40, "sma_ratio": 80, "rsi": 40}
)
SLOW_HORIZON: Final = 10


@dataclass(frozen=True)
class Space:
    """The choices that a search has for a candidate.

    Attributes:
        kinds: Features to choose from.
        periods: Look-back periods to choose from.
        long_only: Whether short positions are ruled out.
        leaf: Minimum bars in a leaf of a simple model.
    """

    kinds: tuple[FeatureKind, ...]
    periods: tuple[int, ...]
    long_only: bool
    leaf: int

    @classmethod
    def make(
        cls, bars: int, features: Sequence[FeatureKind] = (), *, long_only: bool = False
    ) -> "Space":
        """Return the space for a number of bars: few bars allow short periods only.

        Args:
            bars: Number of development bars.
            features: Kinds of features to choose from; empty for all.
            long_only: Whether short positions are ruled out.
        """
        return cls(
            kinds=order_kinds(features or ALL_KINDS),
            periods=tuple(period for period in PERIODS if period * BARS_PER_PERIOD <= bars),
            long_only=long_only,
            leaf=min(max(bars // BARS_PER_LEAF, 1), MOST_LEAF_STEPS) * LEAF_STEP,
        )

    def without_volume(self) -> "Space":
        """Return the space for bars that have no volume.

        Raises:
            InvalidInput: Nothing is left of it.
        """
        kinds = tuple(kind for kind in self.kinds if kind not in FAMILIES["volume"])
        if not kinds:
            raise InvalidInput(
                "Only features of the volume are asked for, and these bars have none. Name another "
                f"family: {', '.join(family for family in FAMILIES if family != 'volume')}.",
                field="brief",
            )
        return replace(self, kinds=kinds)

    def list_first_candidates(self) -> list[Parameters]:
        """Return the parameters of the first candidates.

        All usual features, then each alone, then each slow trend.
        """
        usual = {kind: USUAL_PERIODS[kind] for kind in self.kinds if kind in USUAL_PERIODS}
        alone = [{kind: period} for kind, period in usual.items()] if len(usual) > 1 else []
        slow = [{kind: SLOW_TRENDS[kind]} for kind in self.kinds if kind in SLOW_TRENDS]
        return [self._choose_simple(kinds) for kinds in ([usual] if usual else []) + alone] + [
            self._choose_simple(kinds) | {"horizon": SLOW_HORIZON} for kinds in slow
        ]

    def _choose_simple(self, periods: Mapping[FeatureKind, int]) -> Parameters:
        parameters: Parameters = {**SIMPLE_MODEL, "min_data_in_leaf": self.leaf}
        for kind in self.kinds:
            parameters[kind] = kind in periods
            if kind in periods:
                parameters[f"{kind}_period"] = min(periods[kind], max(self.periods))
        if tells_rises(periods):
            parameters["mirrored"] = len(periods) == 1
        if self.long_only:
            del parameters["long_only"]
        return parameters

    def suggest(self, trial: optuna.trial.BaseTrial) -> StrategySpec:
        """Let Optuna choose a candidate. If it chooses no feature, the first one is used."""
        kinds = [kind for kind in self.kinds if trial.suggest_categorical(kind, [True, False])]
        features = tuple(
            FeatureSpec(kind=kind, period=trial.suggest_categorical(f"{kind}_period", self.periods))
            for kind in kinds or self.kinds[:1]
        )
        return StrategySpec(
            name="candidate",
            features=features,
            horizon=trial.suggest_categorical("horizon", HORIZONS),
            threshold=round(trial.suggest_float("threshold", 0.0, 0.08, step=0.005), 3),
            positions=(
                "long_only"
                if self.long_only or trial.suggest_categorical("long_only", [True, False])
                else "long_short"
            ),
            model=ModelSpec(
                num_iterations=trial.suggest_int("num_iterations", 30, 120, step=10),
                learning_rate=trial.suggest_categorical("learning_rate", LEARNING_RATES),
                num_leaves=trial.suggest_int("num_leaves", 2, 12),
                min_data_in_leaf=trial.suggest_int(
                    "min_data_in_leaf", LEAF_STEP, MOST_LEAF_STEPS * LEAF_STEP, step=LEAF_STEP
                ),
                lambda_l2=trial.suggest_categorical("lambda_l2", REGULARISATIONS),
                mirrored=(
                    tells_rises(feature.kind for feature in features)
                    and trial.suggest_categorical("mirrored", [True, False])
                ),
            ),
        )


def tells_rises(kinds: Iterable[FeatureKind]) -> bool:
    """Return whether any feature tells rises from falls, so that a model can be mirrored."""
    return any(kind in CENTRES for kind in kinds)


def describe(spec: StrategySpec) -> str:
    """Describe a candidate in a sentence."""
    features = ", ".join(f"{feature.kind} over {feature.period}" for feature in spec.features)
    direction = "long" if spec.positions == "long_only" else "long or short"
    alike = " It treats rises and falls alike." if spec.model.mirrored else ""
    bars = "the next bar" if spec.horizon == 1 else f"the next {spec.horizon} bars"
    return (
        f"Predicts whether the price rises over {bars} from {features} bars, and goes {direction} "
        f"where the probability is at least {spec.threshold:.1%} away from even.{alike}"
    )
