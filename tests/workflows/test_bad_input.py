"""Input that only the worker sees: whoever types `temporal workflow start` gets a readable end."""

from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError

from quant.bars import catalog
from quant.messages.data import DataSource
from settings import Settings
from storage.ledger import Ledger
from tests.support.data import broken_rows
from tests.support.helpers import looks_like_a_stack_trace, new_id
from tests.support.phases import start
from workflows.failures import describe_failure
from workflows.messages import ResearchRequest
from workflows.policies import BACKTEST_QUEUE, RESEARCH_QUEUE, TRAINING_QUEUE

BAD_REQUESTS: list[tuple[Any, str]] = [
    ({"brief": "trend", "strategy": "quick"}, "not both"),
    ({"trials": 0}, "trials"),
    ({"trials": 10**9}, "trials"),
    ({"trials": "x"}, "trials"),
    ({"trials": 1.5}, "trials"),
    ({"trials": True}, "trials"),
    ({"seed": "x"}, "seed"),
    ({"seed": 1.5}, "seed"),
    ({"seed": -1}, "seed"),
    ({"seed": 2**31}, "seed"),
    ({"tirals": 3}, "tirals"),
    ({"priority": 0}, "priority"),
    ({"owner": "a' OR 'b"}, "owner"),
    ({"symbol": "../../etc/passwd"}, "symbol"),
    ({"symbol": "/etc/passwd"}, "symbol"),
    ({"strategy": "../quick"}, "strategy"),
    ({"brief": "x" * 4001}, "brief"),
    ("a text", "object"),
    ([1, 2], "object"),
]


async def failure(client: Client, workflow: str, queue: str, *args: Any) -> str:
    """Start a workflow as the command line would, and return how it failed."""
    handle = await client.start_workflow(workflow, args=args, id=new_id(), task_queue=queue)
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    assert (await handle.describe()).status is WorkflowExecutionStatus.FAILED
    message = describe_failure(failed.value.cause)
    assert not looks_like_a_stack_trace(message)
    assert "pydantic" not in message
    return message


@pytest.mark.parametrize(("request_", "named"), BAD_REQUESTS, ids=lambda value: str(value)[:40])
async def test_a_bad_request_fails_at_once_and_names_the_field(
    client: Client, request_: Any, named: str
) -> None:
    assert named in await failure(client, "Research", RESEARCH_QUEUE, request_)


async def test_too_many_requests_fail(client: Client) -> None:
    assert "argument" in await failure(client, "Research", RESEARCH_QUEUE, {}, {}, {})


@pytest.mark.parametrize(
    ("workflow", "queue"), [("Training", TRAINING_QUEUE), ("Backtest", BACKTEST_QUEUE)]
)
async def test_a_bad_request_for_a_step_alone_fails(
    client: Client, workflow: str, queue: str
) -> None:
    assert "spec" in await failure(client, workflow, queue, {"input": {}, "spec": {}})


async def test_an_unknown_symbol_fails_with_the_known_ones(client: Client) -> None:
    handle = await start(client, ResearchRequest(symbol="NOSUCH", trials=1))
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    assert "'NOSUCH'" in describe_failure(failed.value.cause)
    assert "SP500" in describe_failure(failed.value.cause)


async def test_an_unknown_strategy_fails_with_the_known_ones(client: Client) -> None:
    handle = await start(client, ResearchRequest(strategy="nosuch"))
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    assert "'nosuch'" in describe_failure(failed.value.cause)
    assert "momentum" in describe_failure(failed.value.cause)


COMPLAINTS = {
    "NOCLOSE": "close",
    "UNSORTED": "row 2",
    "DUPLICATE": "row 3",
    "NAN": "row 7",
    "TEXT": "row 7",
    "HIGHBELOWLOW": "row 7",
    "SHORT": "99 bars",
    "EMPTY": "EMPTY.csv",
}


def test_every_broken_file_is_tried() -> None:
    assert COMPLAINTS.keys() == broken_rows().keys()


@pytest.mark.parametrize("symbol", COMPLAINTS)
async def test_broken_bars_fail_the_research_with_file_and_row(
    client: Client, settings: Settings, symbol: str
) -> None:
    handle = await start(client, ResearchRequest(symbol=symbol, trials=1))
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    message = describe_failure(failed.value.cause)
    assert f"{symbol}.csv" in message
    assert COMPLAINTS[symbol] in message
    assert not looks_like_a_stack_trace(message)
    experiment = Ledger(settings.ledger_url).experiments.get(handle.id)
    assert experiment is not None
    assert (experiment.status, experiment.error) == ("failed", message)


async def test_a_link_out_of_the_data_directory_is_not_followed(
    client: Client, data_dir: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "secret.csv"
    outside.write_bytes((data_dir / "GOOD.csv").read_bytes())
    link = data_dir / "LINKED.csv"
    link.symlink_to(outside)
    try:
        assert all(entry.symbol != "LINKED" for entry in catalog.list_symbols(data_dir))
        handle = await start(client, ResearchRequest(symbol="LINKED", trials=1))
        with pytest.raises(WorkflowFailureError) as failed:
            await handle.result()
        assert "No bars exist" in describe_failure(failed.value.cause)
    finally:
        link.unlink()
    found = catalog.find_file(DataSource(symbol="GOOD"), data_dir)
    assert found is not None
    assert found.path == data_dir / "GOOD.csv"
