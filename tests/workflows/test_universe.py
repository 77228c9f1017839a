from collections.abc import Callable

from temporalio.client import Client

from quant.messages.artifacts import Artifact, parse_artifact
from quant.messages.data import name_universe
from quant.messages.report.curves import Curves
from quant.messages.steps import AssessmentResult
from settings import Settings
from storage.artifacts import ArtifactStore
from storage.ledger.ledger import Ledger
from tests.support.phases import start
from workflows.interface.contract import OperationStatus, Phase
from workflows.interface.messages import ResearchRequest
from workflows.research import Research


async def test_a_research_on_several_instruments_goes_from_data_to_verdict(
    client: Client, settings: Settings, fresh_universe: Callable[..., None]
) -> None:
    symbols = ("UNIONA", "UNIONB", "UNIONC")
    fresh_universe(symbols, seed=41)
    handle = await start(
        client, ResearchRequest(symbols=symbols, trials=3, seed=7, bypass_gates=True)
    )
    result = await handle.result()

    operation = await handle.query(Research.describe)
    assert operation.status is OperationStatus.COMPLETED
    assert operation.phase is Phase.DONE
    assert operation.metadata.symbol == name_universe(symbols)
    assert tuple(operation.metadata.symbols) == symbols
    assert result.market is not None
    assert result.market.names == tuple(f"{symbol} 1d" for symbol in symbols)

    store = ArtifactStore(settings.artifacts_url)
    content = store.open(f"{handle.id}.backtest").read(Artifact.CURVES)
    assert content is not None
    curves = parse_artifact(Curves, content, Artifact.CURVES)
    assert [each.symbol for each in curves.instruments] == list(symbols)
    assert {trade.symbol for trade in curves.trades} <= set(symbols)
    profit = sum(each.profit for each in curves.instruments)
    assert abs(profit - (curves.equity["1x"][-1] - 1.0)) < 1e-9

    stored = store.open(f"{handle.id}.assessment").read(Artifact.ASSESSMENT)
    assert stored is not None
    assessed = parse_artifact(AssessmentResult, stored, Artifact.ASSESSMENT)
    said = " ".join(assessed.limitations)
    assert "These 3 instruments over one period" in said
    assert "UNIONB (1990-" in said

    ledger = Ledger(settings.ledger_url)
    try:
        one = ledger.markets.get("UNIONA", "1d", trials=1)
        assert one.trials_ever >= 3
        assert one.holdout_looks == 1
        listed, _ = ledger.experiments.find(limit=5, symbol="UNIONB")
        assert [each.operation_id for each in listed] == [handle.id]
    finally:
        ledger.close()
