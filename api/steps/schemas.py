"""Bodies of requests and answers about trainings, backtests and models.

The command imports this module. So it must not import Temporal, FastAPI or the ledger's database.
The requests also take the bodies of the earlier system.
"""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from quant.messages.data import (
    MOST_INSTRUMENTS,
    BarsName,
    DataSource,
    DateRange,
    Symbol,
    Timeframe,
)
from quant.messages.steps import InitialCapital, Seed
from quant.messages.strategy import Costs, StrategyName
from workflows.interface.owned import OwnedRequest

_Symbols = Annotated[list[Symbol], Field(min_length=1, max_length=MOST_INSTRUMENTS)]
_OneTimeframe = Annotated[list[Timeframe], Field(min_length=1, max_length=100)]


class TrainingRequest(OwnedRequest, DateRange):
    """Which strategy to train on which bars."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "strategy_name": "momentum",
                    "symbol": "NASDAQ",
                    "start_date": "2005-01-01",
                    "end_date": "2014-12-31",
                }
            ]
        }
    )

    strategy_name: StrategyName
    symbol: Symbol | None = Field(None, description="SP500 if absent")
    symbols: _Symbols | None = Field(None, description="Several: one model learns from all of them")
    timeframe: Timeframe | None = Field(None, description="1d if absent")
    timeframes: _OneTimeframe | None = Field(
        None, description="The same as a list; of one timeframe only"
    )
    seed: Seed = 0
    task_id: str | None = Field(
        None, max_length=200, description="Without effect: ids are made by this service"
    )
    detailed_analytics: bool = Field(
        False, description="Without effect: every training keeps its metrics by iteration"
    )

    @model_validator(mode="after")
    def _require_one_of_each(self) -> Self:
        if self.symbols and self.symbol not in (None, *self.symbols[:1]):
            raise ValueError(
                f"symbols names {self.symbols[0]}, and symbol names {self.symbol}; give one of them"
            )
        if self.symbols and len(set(self.symbols)) < len(self.symbols):
            raise ValueError("symbols names one symbol twice")
        if self.symbols and len(self.symbols) > 1 and self.symbol is not None:
            raise ValueError("symbols names several, and symbol one of them; give one of both")
        _check_timeframe(self.timeframe, self.timeframes)
        return self

    @property
    def data(self) -> DataSource:
        """The bars to train on."""
        named = {
            "symbol": self.symbol,
            "symbols": self.symbols,
            "timeframe": self.timeframe or (self.timeframes and self.timeframes[0]),
        }
        return DataSource(
            start_date=self.start_date,
            end_date=self.end_date,
            **{name: value for name, value in named.items() if value},
        )

    @property
    def warnings(self) -> list[str]:
        """What was asked for without effect."""
        found = []
        if self.task_id is not None:
            found.append(
                "task_id has no effect: ids are made by this service; use the one of this answer."
            )
        if self.detailed_analytics:
            found.append(
                "detailed_analytics has no effect: every training keeps its metrics by iteration "
                "(GET /operations/{id}/metrics)."
            )
        return found


def _check_timeframe(one: str | None, several: list[str] | None) -> None:
    if several is None:
        return
    if len(set(several)) > 1:
        raise ValueError(
            f"timeframes: bars are of one timeframe, and {', '.join(several[:10])} are asked for. "
            "Use the shortest; a feature of a longer one says so in the strategy (`timeframe: 1w`)"
        )
    if one not in (None, several[0]):
        raise ValueError(
            f"timeframes names {several[0]}, and timeframe names {one}; give one of them"
        )


class StandaloneBacktest(OwnedRequest, DateRange):
    """Which model to backtest, on which days.

    Without days it trades the holdout of the training's bars.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "training_id": "op_training_20261124_091509_5bdbbf47",
                    "start_date": "2015-01-01",
                    "end_date": "2016-12-31",
                }
            ]
        }
    )

    training_id: str | None = Field(
        None, max_length=1000, description="Operation id of a finished training"
    )
    model_path: str | None = Field(
        None,
        max_length=1000,
        description="Its model, as results name it: `<training id>/model.txt`",
    )
    strategy_name: StrategyName | None = Field(
        None, description="Alone: the newest model of this strategy"
    )
    symbol: BarsName | None = Field(None, description="Must be that of the training")
    timeframe: Timeframe | None = Field(None, description="Must be that of the training")
    initial_capital: InitialCapital | None = None
    commission: float | None = Field(
        None, ge=0.0, le=0.05, description="Fraction of what is traded; else the strategy's own"
    )
    slippage: float | None = Field(
        None, ge=0.0, le=0.05, description="Fraction of the price; else the strategy's own"
    )

    @property
    def days(self) -> DateRange | None:
        """The days to trade. None for the holdout."""
        if self.start_date is None and self.end_date is None:
            return None
        return DateRange(start_date=self.start_date, end_date=self.end_date)

    def change_costs(self, costs: Costs) -> Costs | None:
        """Return the strategy's costs as changed by the request; None without any change."""
        asked = {"commission": self.commission, "slippage": self.slippage}
        changes = {name: value for name, value in asked.items() if value is not None}
        return costs.model_copy(update=changes) if changes else None


class StepStarted(BaseModel):
    """A training or backtest has been accepted, and how the request was understood."""

    success: bool = True
    operation_id: str
    task_id: str = Field(description="Same as `operation_id`")
    status: str
    message: str
    strategy_name: str
    symbol: str
    symbols: list[str]
    timeframe: str
    timeframes: list[str]
    start_date: date | None = Field(description="Null: from the first bar, or from the holdout")
    end_date: date | None = Field(description="Null: to the last bar")
    model_path: str | None = Field(None, description="The model that a backtest trades with")
    warnings: list[str] = Field(
        default_factory=list, description="What was asked for has no effect, or needs care"
    )


class ModelSummary(BaseModel):
    """A trained model."""

    model_id: str = Field(description="Operation id of its training")
    model_name: str = Field(description="Name of its strategy")
    symbol: str
    timeframe: str
    created_at: datetime
    training_accuracy: float | None = Field(
        None, description="Always null: accuracy is measured on bars that the model had not seen"
    )
    test_accuracy: float = Field(description="On unseen bars of the walk-forward, mean over folds")
    model_path: str
    description: str


class ModelListResponse(BaseModel):
    """Trained models, newest first, for as long as Temporal keeps their trainings."""

    success: Literal[True] = True
    models: list[ModelSummary]
    total_count: int


class TrainingPerformance(BaseModel):
    """The figures of a finished training."""

    success: Literal[True] = True
    task_id: str
    status: str
    training_metrics: dict[str, Any]
    test_metrics: dict[str, Any] = Field(
        description="On unseen bars of the walk-forward, mean over folds"
    )
    data_summary: dict[str, Any]
    model_path: str
