"""A first strategy file says little more than its features. It is to be judged, not stopped."""

import re
from pathlib import Path

import pytest

from quant.messages.data import DataSource
from quant.messages.steps import BacktestInput, TrainingInput
from quant.steps.backtest import backtest_holdout
from quant.steps.train import train_model
from quant.strategy.parser import parse_strategy
from quant.verdict.gates import BacktestLimits, TrainingLimits, check_backtest, check_training
from storage.artifacts import ArtifactStore
from tests.support.helpers import ROOT

DOCUMENTED = re.search(
    r"```yaml\n(name: my-trend\n.*?)```", (ROOT / "docs/strategies.md").read_text(), re.DOTALL
)
ONE_FEATURE = """\
name: my-first
description: Buys what fell too far.
features:
  - kind: rsi
    period: 14
"""


@pytest.mark.parametrize("symbol", ["SP500", "NASDAQ"])
@pytest.mark.parametrize("text", [DOCUMENTED and DOCUMENTED[1], ONE_FEATURE], ids=["two", "one"])
def test_five_lines_pass_both_gates(text: str, symbol: str, tmp_path: Path) -> None:
    spec = parse_strategy(text)
    workspace = ArtifactStore(str(tmp_path)).open("research")
    asked = TrainingInput(data=DataSource(symbol=symbol), spec=spec, seed=0)
    trained = train_model(asked, None, workspace, lambda _: None)
    assert check_training(trained, TrainingLimits()).reason is None
    stored = workspace.read(trained.model_artifact)
    assert stored is not None
    holdout = BacktestInput(
        data=trained.data.source, spec=spec, seed=0, model_sha256=trained.model_sha256
    )
    tested = backtest_holdout(holdout, stored.decode(), None, workspace, lambda _: None)
    assert check_backtest(tested, BacktestLimits()).reason is None
