"""The id of an operation derives from a key that says what it starts and when."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx2
import pytest
import pytest_asyncio
from temporalio.client import Client

from api.app import create_app
from cli.service.keys import make_key
from settings import Settings
from tests.api.answers import accepted, refused, retry_while_busy
from tests.api.operations.test_start import LONG, TRIGGER
from tests.support.helpers import serving
from worker import run_workers
from workflows.interface.contract import START_KEY, WORKFLOW_NAME, OperationType
from workflows.interface.ids import DatedKey, make_dated_key
from workflows.policies import RESEARCH_QUEUE

MADE = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def new_key() -> str:
    return make_dated_key(OperationType.RESEARCH, MADE)


async def trigger(
    api: httpx2.AsyncClient, key: str, body: object = LONG, path: str = TRIGGER
) -> httpx2.Response:
    headers = {"Idempotency-Key": key}
    return await retry_while_busy(lambda: api.post(path, json=body, headers=headers))


def derive(key: str, attempt: int = 0) -> str:
    dated = DatedKey.parse(key)
    assert dated is not None
    return dated.make_operation_id(key, attempt)


@pytest.mark.parametrize(
    "key",
    [
        "one",
        "agent_research-20260102T030405Z-0123",
        "agent_research-20261302T030405Z-0123456789abcdef",
        "agent_design-20260102T030405Z-0123456789abcdef",
        "agent_research-20260102T030405Z-0123456789ABCDEF",
        f"agent_research-20260102T030405Z-{'0' * 65}",
    ],
)
def test_another_key_says_nothing(key: str) -> None:
    assert DatedKey.parse(key) is None


def test_an_id_has_the_time_of_its_key() -> None:
    key = new_key()
    assert DatedKey.parse(key) == DatedKey(OperationType.RESEARCH, MADE)
    assert derive(key).startswith("op_agent_research_20260102_030405_")
    assert len({derive(key), derive(key, 1), derive(new_key())}) == 3


@pytest.mark.parametrize(
    ("path", "operation_type"),
    [
        ("/agent/trigger", OperationType.RESEARCH),
        ("/experiments/op_1/reproduce", OperationType.RESEARCH),
        ("/trainings/start", OperationType.TRAINING),
        ("/backtests/start", OperationType.BACKTEST),
        ("/operations/op_1/retry", None),
    ],
)
def test_the_command_sends_such_keys(path: str, operation_type: OperationType | None) -> None:
    dated = DatedKey.parse(make_key(path))
    assert (dated and dated.operation_type) == operation_type


async def test_simultaneous_requests_start_one_operation_and_nothing_else(
    alone_api: httpx2.AsyncClient, alone: Client
) -> None:
    key = new_key()
    answers = await asyncio.gather(*(trigger(alone_api, key) for _ in range(20)))
    assert {accepted(answer, 202)["operation_id"] for answer in answers} == {derive(key)}
    started = [each.id async for each in alone.list_workflows("")]
    assert set(started) <= {derive(key)}
    description = await alone.get_workflow_handle(derive(key)).describe()
    assert key not in str(await description.memo())


async def test_a_key_with_another_request_or_of_another_type_is_refused(
    alone_api: httpx2.AsyncClient,
) -> None:
    key = new_key()
    accepted(await trigger(alone_api, key), 202)
    for path, body in (
        (TRIGGER, LONG | {"seed": 8}),
        (TRIGGER, {}),
        ("/trainings/start", {"strategy_name": "quick"}),
    ):
        answer = await trigger(alone_api, key, body, path)
        refused(answer, 422, "idempotency_key_reused", "Idempotency-Key")


async def test_an_id_that_another_key_has_taken_is_left_alone(
    alone_api: httpx2.AsyncClient, alone: Client
) -> None:
    key = new_key()
    await alone.start_workflow(
        WORKFLOW_NAME[OperationType.RESEARCH],
        id=derive(key),
        task_queue=RESEARCH_QUEUE,
        memo={START_KEY: {"key": "claim_of_another", "request": "0", "stands_for": derive(key)}},
    )
    for _ in range(2):
        assert accepted(await trigger(alone_api, key), 202)["operation_id"] == derive(key, 1)


@pytest_asyncio.fixture
async def limited(alone: Client, settings: Settings) -> AsyncIterator[httpx2.AsyncClient]:
    """An API that admits one research, with a worker."""
    one = settings.model_copy(update={"max_active_researches": 1})
    async with run_workers(alone, one), serving(create_app(one, alone)) as http:
        yield http


async def test_a_repeated_request_is_answered_at_the_limit_and_after_a_resume(
    limited: httpx2.AsyncClient,
) -> None:
    key = new_key()
    operation_id = accepted(await trigger(limited, key), 202)["operation_id"]
    assert (await trigger(limited, new_key())).json()["reason"] == "at_capacity"
    assert accepted(await trigger(limited, key), 202)["operation_id"] == operation_id

    wait = {"wait": 20}
    accepted(await limited.delete(f"/agent/cancel/{operation_id}", params=wait))
    accepted(await limited.post(f"/operations/{operation_id}/resume"), 202)
    assert accepted(await trigger(limited, key), 202)["operation_id"] == operation_id
    accepted(await limited.delete(f"/agent/cancel/{operation_id}", params=wait))
