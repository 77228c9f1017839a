"""What a designer is told does not depend on any holdout: also not on what others saw there."""

import json
import re
from pathlib import Path

import pandas as pd
from temporalio.client import Client

from activities.computing.compute import Compute
from activities.research import ResearchActivities
from quant.messages.artifacts import Artifact
from quant.messages.steps import AssessmentResult
from settings import Settings
from storage.artifacts import ArtifactStore
from storage.ledger.ledger import Ledger
from storage.ledger.records import HypothesisRecord
from tests.llm.provider import Provider
from tests.llm.replies import SONNET, comment, design_task, propose
from tests.support.helpers import activity_environment
from tests.support.phases import start
from tests.support.quant.data import walk
from worker import run_workers
from workflows.interface.messages import ResearchRequest

_SYMBOL = "GOLD"
_ROWS = 1200
_HOLDOUT = _ROWS * 70 // 100
_ASKED = ResearchRequest(
    symbol=_SYMBOL, strategy="quick", seed=7, designer="llm", model=SONNET, bypass_gates=True
)


def with_holdout(*, mirrored: bool) -> pd.DataFrame:
    """Return bars whose holdout rises where that of the others falls."""
    bars = walk(_ROWS, "1D")
    if mirrored:
        after = bars.index >= _HOLDOUT
        level = float(bars["open"].iloc[_HOLDOUT]) ** 2
        high, low = level / bars["low"], level / bars["high"]
        for name, mirror in {"high": high, "low": low}.items():
            bars.loc[after, name] = mirror[after]
        bars.loc[after, ["open", "close"]] = level / bars.loc[after, ["open", "close"]]
    return bars


async def told_after_a_research(
    client: Client, compute: Compute, provider: Provider, home: Path, strategies: Path, says: str
) -> tuple[str, AssessmentResult, list[HypothesisRecord]]:
    """Research with a comment, and return what the next designer is told, and what came out."""
    settings = Settings(home=home, strategy_dir=strategies, data_dir=home / "bars")
    (home / "bars").mkdir(parents=True)
    with_holdout(mirrored=says != "Long").to_csv(home / "bars" / f"{_SYMBOL}.csv", index=False)
    provider.replies = [comment("It has {return_after_cost}.", f"{says} positions may do.")]
    async with run_workers(client, settings):
        result = await (await start(client, _ASKED)).result()
    folder, _, _ = result.report_path.partition("/")
    content = ArtifactStore(settings.artifacts_url).open(folder).read(Artifact.ASSESSMENT)
    ledger = Ledger(settings.ledger_url)
    activities = ResearchActivities(compute=compute, ledger=ledger, settings=settings)
    provider.replies = [propose(14)]
    await activity_environment().run(activities.design, design_task(symbol=_SYMBOL))
    hypotheses = ledger.hypotheses.find(limit=None)
    ledger.close()
    message = provider.requests[-1]["messages"][0]["content"][0]["text"]
    return message, AssessmentResult.model_validate_json(content or b""), hypotheses


async def test_the_next_designer_is_told_nothing_that_a_holdout_has_shown(
    provider: Provider, alone: Client, compute: Compute, tmp_path: Path, strategy_dir: Path
) -> None:
    told, seen, hypotheses = await told_after_a_research(
        alone, compute, provider, tmp_path / "one", strategy_dir, "Long"
    )
    other_told, other_seen, _ = await told_after_a_research(
        alone, compute, provider, tmp_path / "other", strategy_dir, "Short"
    )
    assert seen.comment is not None and seen.statistics is not None
    assert seen.summary != other_seen.summary
    assert seen.hypotheses != other_seen.hypotheses
    assert told == other_told

    by_holdout = [each.statement for each in hypotheses if each.by_holdout]
    assert "Long positions may do." in by_holdout and len(by_holdout) > 1
    assert not [statement for statement in by_holdout if statement in told]
    assert set(json.loads(told)["open_hypotheses"]) == {
        each.hypothesis_id for each in hypotheses if not each.by_holdout
    }
    assert not re.search("promising|mediocre|poor|no_signal", told)
    [past] = json.loads(told)["past_experiments"]["most_recent"]
    assert past["development_sharpe"] is not None
