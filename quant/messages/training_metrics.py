"""The figures of a training, fold by fold and iteration by iteration."""

from pydantic import Field

from quant.messages.base import FrozenModel


class FoldMetrics(FrozenModel):
    """Out-of-sample figures of one walk-forward fold."""

    fold: int
    train_bars: int
    test_bars: int
    log_loss: float
    accuracy: float
    auc: float | None
    precision: float | None = Field(
        None, description="Share of true rises among predicted ones; null if none was predicted"
    )
    recall: float | None = Field(
        None, description="Share of predicted rises among true ones; null if there was none"
    )
    f1_score: float | None = Field(None, description="Harmonic mean of precision and recall")


class IterationMetrics(FrozenModel):
    """Losses after one boosting iteration."""

    fold: int | None = Field(description="Counted from 1; null for the final model")
    iteration: int
    train_loss: float
    valid_loss: float | None = Field(
        description="Loss on the test bars of the fold; null for the final model"
    )


class TrainingMetrics(FrozenModel):
    """Metrics of a training so far: the artifact `metrics.json`."""

    iterations_planned: int = Field(description="Iterations of all folds and the final model")
    iterations_completed: int
    history: tuple[IterationMetrics, ...] = Field(description="Thinned to about a thousand points")
