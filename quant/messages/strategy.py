"""`StrategySpec`: a trading strategy as data, without any code."""

import hashlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from quant.messages.base import FrozenModel
from quant.messages.data import PlainSymbol, Timeframe, UniverseName
from quant.messages.spelling import Spelling

StrategyName = Annotated[
    str,
    Spelling(
        r"^[a-z0-9][a-z0-9_-]{0,63}$",
        "lower-case letters, digits, `_` and `-`, at most 64, with a letter or digit first",
    ),
]

FeatureKind = Literal[
    "return",  # log return over `period` bars
    "rsi",
    "sma_ratio",  # close over its simple moving average, minus 1
    "ema_ratio",
    "macd",  # MACD histogram over close; fast = period, slow = 2 x period, signal = 9
    "bollinger",  # position within the Bollinger bands, in standard deviations
    "volatility",  # standard deviation of log returns
    "atr_ratio",  # average true range over close
    "adx",
    "stochastic",
    "volume_ratio",  # volume over its simple moving average, minus 1
    "range_position",  # close within the high-low range of `period` bars, 0 to 1
]

CENTRES: Final[Mapping[FeatureKind, float]] = MappingProxyType(
    {
        "return": 0.0,
        "rsi": 50.0,
        "sma_ratio": 0.0,
        "ema_ratio": 0.0,
        "macd": 0.0,
        "bollinger": 0.0,
        "stochastic": 50.0,
        "range_position": 0.5,
    }
)
"""Features that tell rises from falls, each with its value where there is neither.

In the mirror image of the bars they lie as far on the other side; all others stay as they are.
"""

Positions = Literal["long_short", "long_only", "short_only", "cross_sectional"]
Weights = Literal["equal", "inverse_volatility"]

_LATE_COSTS: Final = ("cash_rate", "borrow_rate")
_LATE_FEATURE: Final = ("timeframe", "relative")
_LATE_MODEL: Final = "mirrored"
# They were added later and do not count in a fingerprint where they are at their default.
_LATE_FIELDS: Final = (
    "benchmark",
    "per_side",
    "weights",
    "volatility_target",
    "most_exposure",
    "stop_loss",
    "take_profit",
    "max_holding",
)


class FeatureSpec(FrozenModel):
    """One indicator with its look-back period in bars."""

    kind: FeatureKind = Field(description="Name of the indicator")
    period: int = Field(ge=2, le=250, description="Bars that the indicator looks back")
    timeframe: Timeframe | None = Field(
        None,
        description="Length of the bars that it looks at, longer than those of the research and "
        "made of them; null for the same",
    )
    relative: bool = Field(
        False,
        description="Whether its rank among the instruments of a universe is used, 0 to 1, instead "
        "of its value",
    )

    @property
    def label(self) -> str:
        """Its name in figures and lists, such as `rsi_14`, `rsi_14@1w` and `rsi_14.rank`."""
        longer = f"@{self.timeframe}" if self.timeframe else ""
        return f"{self.kind}_{self.period}{longer}{'.rank' if self.relative else ''}"

    @property
    def unused(self) -> set[str]:
        """The fields that were added later and are at their default."""
        fields = type(self).model_fields
        return {name for name in _LATE_FEATURE if getattr(self, name) == fields[name].default}


class ModelSpec(FrozenModel):
    """Parameters of the gradient-boosted classifier, under LightGBM's names.

    The defaults learn little in each of few steps, from many bars in each leaf. With them a feature
    or two trade on the built-in bars, and fit so little noise that no gate stops them.
    """

    num_iterations: int = Field(60, ge=10, le=20_000, description="Number of trees")
    learning_rate: float = Field(0.03, gt=0.0, le=1.0, description="Weight of each tree")
    num_leaves: int = Field(8, ge=2, le=255, description="Leaves of each tree at most")
    min_data_in_leaf: int = Field(100, ge=1, le=10_000, description="Bars in each leaf at least")
    lambda_l2: float = Field(10.0, ge=0.0, le=1000.0, description="L2 regularisation of the leaves")
    feature_fraction: float = Field(
        1.0, gt=0.0, le=1.0, description="Share of the features that each tree may use"
    )
    bagging_fraction: float = Field(
        1.0, gt=0.0, le=1.0, description="Share of the bars that each tree learns from"
    )
    mirrored: bool = Field(
        False,
        description="Whether it learns from the mirror image of the bars, too, in which every rise "
        "is a fall. So it treats both alike, whichever way the market went",
    )

    @property
    def is_sampled(self) -> bool:
        """Whether it learns from a sample of rows or columns, so that the seed matters."""
        return self.feature_fraction < 1.0 or self.bagging_fraction < 1.0


class Costs(FrozenModel):
    """Assumed costs: of trading, per side, as fractions of the traded notional; and interest."""

    commission: float = Field(0.0005, ge=0.0, le=0.05, description="Paid on what is traded")
    slippage: float = Field(0.0005, ge=0.0, le=0.05, description="Worse price than the open")
    cash_rate: float = Field(
        0.0,
        ge=-0.1,
        le=1.0,
        description="Annual interest on what is not invested; returns are judged by their excess",
    )
    borrow_rate: float = Field(
        0.0,
        ge=0.0,
        le=1.0,
        description="Annual rate on what is borrowed: instruments sold short, or money",
    )

    @property
    def per_side(self) -> float:
        """Commission and slippage, as a fraction of the traded notional."""
        return self.commission + self.slippage

    def times(self, multiple: float) -> "Costs":
        """Return these trading costs multiplied; they may be higher than a strategy may assume.

        Rates of interest stay.
        """
        return self.model_construct(
            **{
                **dict(self),
                "commission": self.commission * multiple,
                "slippage": self.slippage * multiple,
            }
        )


class StrategySpec(FrozenModel):
    """Which features to use, what to predict, and when to hold a position."""

    name: StrategyName = Field(description="Name of the file without `.yaml`")
    description: str = Field("", max_length=2000, description="For people; has no effect")
    features: tuple[FeatureSpec, ...] = Field(
        min_length=1, max_length=32, description="What the model sees at each close"
    )
    horizon: int = Field(5, ge=1, le=60, description="Bars over which the label looks ahead")
    model: ModelSpec = Field(ModelSpec(), description="Parameters of the classifier")
    threshold: float = Field(
        0.02, ge=0.0, lt=0.5, description="Distance from probability 0.5 that opens a position"
    )
    universe: UniverseName | None = Field(
        None,
        description="Name of the list of symbols that it is meant for, if a request names none; "
        "has no other effect",
    )
    benchmark: PlainSymbol | None = Field(
        None,
        description="Symbol whose buy and hold the alpha is measured over, if a request names "
        "none; null for the instruments themselves",
    )
    positions: Positions = Field(
        "long_short",
        description="Which positions it takes. `cross_sectional` ranks the instruments instead of "
        "comparing each with the threshold: long the best, short the worst",
    )
    per_side: int = Field(
        1, ge=1, le=250, description="How many instruments `cross_sectional` holds long, and short"
    )
    weights: Weights = Field(
        "equal", description="How the account is shared among the instruments of a universe"
    )
    volatility_target: float | None = Field(
        None, ge=0.01, le=1.0, description="Annual volatility that the positions are scaled to"
    )
    most_exposure: float = Field(
        1.0,
        gt=0.0,
        le=4.0,
        description="Most that `volatility_target` may invest, long and short together, as a "
        "multiple of the account",
    )
    stop_loss: float | None = Field(
        None,
        gt=0.0,
        lt=1.0,
        description="Loss of a position, as a fraction of its price at entry, after which it is "
        "given up; seen at a close, filled at the next open",
    )
    take_profit: float | None = Field(None, gt=0.0, le=10.0, description="The same for a gain")
    max_holding: int | None = Field(
        None, ge=1, le=10_000, description="Bars after which a position is given up"
    )
    costs: Costs = Field(Costs(), description="Assumed costs")

    @model_validator(mode="after")
    def _require_effect(self) -> Self:
        fields = type(self).model_fields
        if self.positions != "cross_sectional" and self.per_side != fields["per_side"].default:
            raise ValueError("`per_side` has no effect without `positions: cross_sectional`")
        if self.volatility_target is None and (
            self.most_exposure != fields["most_exposure"].default
        ):
            raise ValueError("`most_exposure` has no effect without `volatility_target`")
        if self.model.mirrored and not any(each.kind in CENTRES for each in self.features):
            raise ValueError(
                "`mirrored` needs a feature that tells rises from falls, such as `return`; without "
                "one, the model would learn nothing"
            )
        return self

    @property
    def benchmark_name(self) -> str:
        """What it is compared with, as a part of a sentence."""
        return f"buy and hold of {self.benchmark}" if self.benchmark else "buy and hold"

    @property
    def look_back(self) -> int:
        """Bars around a decision within which its position and the prices are related.

        Averages fade out over about twice their period, and a signal is in force for the horizon.
        """
        return 2 * max(feature.period for feature in self.features) + self.horizon

    def fingerprint(self) -> str:
        """Return the SHA-256 of all fields but the name, the description and the universe.

        Fields that were added later count only where they are not at their default, so that a
        strategy keeps its fingerprint.
        """
        late = {name for name in _LATE_COSTS if getattr(self.costs, name) == 0.0}
        fields = type(self).model_fields
        unused = {
            name: True for name in _LATE_FIELDS if getattr(self, name) == fields[name].default
        }
        content = self.model_dump_json(
            exclude={
                "name": True,
                "description": True,
                "universe": True,
                "features": {
                    number: feature.unused for number, feature in enumerate(self.features)
                },
                "costs": late,
                "model": set() if self.model.mirrored else {_LATE_MODEL},
                **unused,
            }
        )
        return hashlib.sha256(content.encode()).hexdigest()

    def trial_fingerprint(self, seed: int) -> str:
        """Return the fingerprint, combined with the seed if the model is sampled.

        Equal ones count as one trial. Each new seed of a sampled model is another chance to be
        lucky, so it counts as another trial.
        """
        if not self.model.is_sampled:
            return self.fingerprint()
        return hashlib.sha256(f"{self.fingerprint()}:{seed}".encode()).hexdigest()
