"""`StrategySpec`: a trading strategy as data, without any code."""

import hashlib
from typing import Annotated, Literal

from pydantic import Field

from quant.messages.base import FrozenModel
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


class FeatureSpec(FrozenModel):
    """One indicator with its look-back period in bars."""

    kind: FeatureKind = Field(description="Name of the indicator")
    period: int = Field(ge=2, le=250, description="Bars that the indicator looks back")

    @property
    def label(self) -> str:
        """Its name in figures and lists, such as `rsi_14`."""
        return f"{self.kind}_{self.period}"


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

    @property
    def is_sampled(self) -> bool:
        """Whether it learns from a sample of rows or columns, so that the seed matters."""
        return self.feature_fraction < 1.0 or self.bagging_fraction < 1.0


class Costs(FrozenModel):
    """Assumed trading costs per side, as fractions of the traded notional."""

    commission: float = Field(0.0005, ge=0.0, le=0.05, description="Paid on what is traded")
    slippage: float = Field(0.0005, ge=0.0, le=0.05, description="Worse price than the open")

    def times(self, multiple: float) -> "Costs":
        """Return these costs multiplied; they may be higher than a strategy may assume."""
        return Costs.model_construct(
            commission=self.commission * multiple, slippage=self.slippage * multiple
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
    positions: Literal["long_short", "long_only"] = Field(
        "long_short", description="Whether the strategy may sell short"
    )
    costs: Costs = Field(Costs(), description="Assumed costs per side")

    def fingerprint(self) -> str:
        """Return the SHA-256 of all fields but the name and the description."""
        content = self.model_dump_json(exclude={"name", "description"})
        return hashlib.sha256(content.encode()).hexdigest()

    def trial_fingerprint(self, seed: int) -> str:
        """Return the fingerprint, combined with the seed if the model is sampled.

        Equal ones count as one trial. Each new seed of a sampled model is another chance to be
        lucky, so it counts as another trial.
        """
        if not self.model.is_sampled:
            return self.fingerprint()
        return hashlib.sha256(f"{self.fingerprint()}:{seed}".encode()).hexdigest()
