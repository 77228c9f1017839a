"""Input that only the worker sees: whoever types `temporal workflow start` gets a readable end."""

import json
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.common import RawValue, SearchAttributePair, TypedSearchAttributes

from quant.bars import catalog
from quant.messages.data import DataSource
from settings import Settings
from storage.ledger.ledger import Ledger
from tests.support.helpers import looks_like_a_stack_trace, new_id
from tests.support.phases import start
from tests.support.quant.data import broken_rows
from workflows.interface.contract import RETRY_OF
from workflows.interface.failures import describe_failure
from workflows.interface.messages import ResearchRequest
from workflows.interface.search_attributes import OWNER
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


def payload(encoding: str, data: bytes = b"", **metadata: bytes) -> RawValue:
    return RawValue(Payload(metadata={"encoding": encoding.encode(), **metadata}, data=data))


_MESSAGE = {"messageType": b"temporal.api.common.v1.WorkflowExecution"}

# What anybody with access to Temporal may send, and a part of what is said about it.
HOSTILE = {
    "not JSON": (payload("json/plain", b"{"), "Invalid JSON"),
    "not UTF-8": (payload("json/plain", b'"\xff"'), "Invalid JSON"),
    "nothing": (payload("binary/null"), "valid"),
    "something in nothing": (payload("binary/null", b"x"), "cannot be read"),
    "bytes": (payload("binary/plain", b"{}"), "valid"),
    "a message": (payload("json/protobuf", b"{}", **_MESSAGE), "valid"),
    "a packed message": (payload("binary/protobuf", b"", **_MESSAGE), "valid"),
    "a broken message": (payload("binary/protobuf", b"\xff", **_MESSAGE), "cannot be read"),
    "a message of no type": (payload("json/protobuf", b"{}"), "cannot be read"),
    "an unknown encoding": (payload("evil/" + "x" * 1000), "Unknown payload encoding"),
    "no encoding": (RawValue(Payload(data=b"{}")), "Unknown payload encoding"),
    "encrypted by nobody": (payload("binary/encrypted", b"x" * 50), "Unknown payload encoding"),
    "many fields": (
        payload("json/plain", json.dumps({f"{n:x}": 1 for n in range(80_000)}).encode()),
        "no TrainingInput: it has 80,003 problems",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_payload_that_cannot_be_read_fails_the_workflow_at_once(
    client: Client, name: str
) -> None:
    sent, said = HOSTILE[name]
    message = await failure(client, "Training", TRAINING_QUEUE, sent)
    assert said in message
    assert len(message) < 10_000


async def test_a_memo_of_the_wrong_type_fails_the_workflow_at_once(client: Client) -> None:
    handle = await client.start_workflow(
        "Research", id=new_id(), task_queue=RESEARCH_QUEUE, memo={RETRY_OF: {"evil": 1}}
    )
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    assert "string" in describe_failure(failed.value.cause)


async def test_an_owner_that_is_none_does_not_keep_a_step_from_ending(client: Client) -> None:
    training = {
        "data": {"symbol": "NOSUCH"},
        "spec": {"name": "x", "features": [{"kind": "rsi", "period": 14}]},
        "seed": 1,
    }
    handle = await client.start_workflow(
        "Training",
        training,
        id=new_id(),
        task_queue=TRAINING_QUEUE,
        search_attributes=TypedSearchAttributes([SearchAttributePair(OWNER, "x y" * 100)]),
    )
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    assert "'NOSUCH'" in describe_failure(failed.value.cause)


async def test_an_unknown_symbol_fails_with_the_known_ones(client: Client) -> None:
    handle = await start(client, ResearchRequest(symbol="NOSUCH", trials=1))
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    assert "'NOSUCH'" in describe_failure(failed.value.cause)
    assert "Known symbols: " in describe_failure(failed.value.cause)


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
        assert all(entry.symbol != "LINKED" for entry in catalog.Catalog(data_dir).list_symbols())
        handle = await start(client, ResearchRequest(symbol="LINKED", trials=1))
        with pytest.raises(WorkflowFailureError) as failed:
            await handle.result()
        assert "No bars exist" in describe_failure(failed.value.cause)
    finally:
        link.unlink()
    found = catalog.Catalog(data_dir).find_file(DataSource(symbol="GOOD"))
    assert found is not None
    assert found.path == data_dir / "GOOD.csv"
