"""A research that has ended, bars that come later, and the watch of its strategy."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pandas as pd

from quant.messages.artifacts import Artifact, Workspace
from quant.messages.data import DataSource, Instruments
from quant.messages.progress import ignore_report
from quant.messages.steps import BacktestInput, TrainingInput
from quant.messages.strategy import Costs, FeatureSpec, ModelSpec, StrategySpec
from quant.messages.watch import WatchedStrategy, WatchRecord, WatchSummary
from quant.steps.backtest import backtest_holdout
from quant.steps.train import train_model
from quant.watch.scoring import score_new_bars
from storage.artifacts import ArtifactStore
from tests.support.quant.data import walk

BEFORE: Final = 700
ALL: Final = 800
# When a watch looks, unless a test says another time.
NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
SPEC: Final = StrategySpec(
    name="watched",
    features=(FeatureSpec(kind="return", period=5),),
    horizon=5,
    threshold=0.0,
    model=ModelSpec(num_iterations=20, num_leaves=2, min_data_in_leaf=20),
    # With them, a random walk of such small steps would soon be withdrawn.
    costs=Costs(commission=0.0, slippage=0.0),
)
TABLE: Final = walk(ALL, "1D", seed=3)


def make_tables(symbols: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Return bars of three instruments: whole, late, and with holes at every seventh time."""
    whole, late, holes = (walk(ALL, "1D", seed=seed) for seed in (3, 4, 5))
    return dict(zip(symbols, (whole, late[150:], holes[holes.index % 7 != 0]), strict=True))


class WatchedResearch:
    """Bars in a directory, and the artifacts of a research on the first of them.

    Args:
        data_dir: directory of the user's bars.
        store: the artifact store.
        symbol: whose bars are written.
        research_id: its operation id.
        tables: all bars of each instrument, if there are several.
    """

    def __init__(
        self,
        data_dir: Path,
        store: ArtifactStore,
        symbol: str = "WATCHED",
        research_id: str = "research",
        tables: Mapping[str, pd.DataFrame] | None = None,
    ) -> None:
        self.data_dir = data_dir
        self.store = store
        self.symbol = symbol
        self.research_id = research_id
        self.tables = tables or {symbol: TABLE}
        self.write_until(BEFORE)
        instruments = Instruments.model_validate({"symbols": list(self.tables)})
        training_id, backtest_id = f"{research_id}.training", f"{research_id}.backtest"
        training = train_model(
            TrainingInput(data=DataSource(**instruments.model_dump()), spec=SPEC, seed=1),
            data_dir,
            store.open(training_id),
            ignore_report,
        )
        self.strategy = WatchedStrategy(
            research_id=research_id,
            training_id=training_id,
            backtest_id=backtest_id,
            **instruments.model_dump(),
            timeframe="1d",
            spec=SPEC,
            seed=1,
            model_sha256=training.model_sha256,
        )
        backtest_holdout(
            BacktestInput(
                data=training.data.source, spec=SPEC, seed=1, model_sha256=training.model_sha256
            ),
            self.model,
            data_dir,
            store.open(backtest_id),
            ignore_report,
        )

    @property
    def model(self) -> str:
        """The text of its model."""
        return self.read(self.strategy.training_id, Artifact.MODEL).decode()

    @property
    def workspace(self) -> Workspace:
        """The artifacts of its watch."""
        return self.store.open(f"watch_{self.research_id}")

    @property
    def record(self) -> WatchRecord:
        """What its watch has stored."""
        return WatchRecord.model_validate_json(self.workspace.read(Artifact.WATCH) or b"")

    def store_evidence(self, evidence: float) -> None:
        """Change what its watch has stored: so much speaks for the alpha."""
        record = self.record
        state = replace(record.state, log_evidence=math.log(evidence))
        changed = record.model_copy(update={"state": state})
        self.workspace.write(Artifact.WATCH, changed.model_dump_json().encode())

    def wait_longer(self, more: timedelta) -> None:
        """Change what its watch has stored: whoever is awaited is so for longer."""
        record = self.record
        assert record.awaits_since is not None
        changed = record.model_copy(update={"awaits_since": record.awaits_since - more})
        self.workspace.write(Artifact.WATCH, changed.model_dump_json().encode())

    def write_bars(self, table: pd.DataFrame, symbol: str | None = None) -> None:
        """Write these bars and no others."""
        table.to_csv(self.data_dir / f"{symbol or self.symbol}.csv", index=False)

    def write_until(self, bars: int, symbols: Sequence[str] | None = None) -> None:
        """Write what these instruments, or all, have at the first so many times."""
        for symbol in symbols or self.tables:
            self.write_bars(self.tables[symbol].loc[: bars - 1], symbol)

    def read(self, operation_id: str, name: str) -> bytes:
        """Read an artifact."""
        return self.store.open(operation_id).read(name) or b""

    def score(self, bars: int | None = None, now: datetime = NOW) -> WatchSummary:
        """Import so many bars, and score those that are new."""
        if bars is not None:
            self.write_until(bars)
        return score_new_bars(self.strategy, self.data_dir, self.workspace, self.read, now)
