"""Failures in Temporal: short enough that the server keeps them, and without stack traces."""

from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import activity, workflow
from temporalio.api.failure.v1 import Failure
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.converter import DataConverter
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from temporal.converter import data_converter, make_encrypting_converter
from temporal.encryption import EncryptingCodec, rotate_key
from tests.support.helpers import assert_eventually, looks_like_a_stack_trace, new_id

KEPT_BY_THE_SERVER = 4096
BEGINNING = "Die Bars sind für \N{SNOWMAN} unlesbar: "
LONG = BEGINNING + "\N{SNOWMAN}ü" * 50_000


def fail(depth: int) -> None:
    """Fail deep in the stack, for one reason after another."""
    if depth:
        try:
            fail(depth - 1)
        except ValueError as error:
            if depth % 10 == 0:
                raise ValueError(f"{depth}: " + "x" * 10_000) from error
            raise
    else:
        raise ValueError(LONG)


@pytest.fixture(params=["plain", "encrypted"])
def converter(request: pytest.FixtureRequest, tmp_path: Path) -> DataConverter:
    if request.param == "plain":
        return data_converter
    rotate_key(tmp_path / "keys.json")
    return make_encrypting_converter(EncryptingCodec(tmp_path / "keys.json"))


async def test_a_failure_is_short_and_its_root_is_readable(converter: DataConverter) -> None:
    with pytest.raises(ValueError, match="x") as raised:
        fail(200)
    failure = Failure()
    await converter.encode_failure(raised.value, failure)
    assert failure.ByteSize() < KEPT_BY_THE_SERVER
    read: BaseException | None = await converter.decode_failure(failure)
    while read is not None and read.__cause__ is not None:
        read = read.__cause__
    assert isinstance(read, ApplicationError)
    assert read.message.startswith(BEGINNING)
    assert read.message.endswith(" ...")
    assert not looks_like_a_stack_trace(str(failure))


async def test_a_short_message_is_not_changed(converter: DataConverter) -> None:
    failure = Failure()
    await converter.encode_failure(ApplicationError("Row 3 is wrong.", type="any"), failure)
    read = await converter.decode_failure(failure)
    assert isinstance(read, ApplicationError)
    assert (read.message, read.type) == ("Row 3 is wrong.", "any")


@activity.defn
async def fail_at_length() -> None:
    """Fail with a message and a trace that the server would cut."""
    fail(200)


@workflow.defn
class Failing:
    """Waits long for the second attempt of its activity."""

    @workflow.run
    async def run(self) -> None:
        """Run the activity."""
        await workflow.execute_activity(
            fail_at_length,
            start_to_close_timeout=timedelta(seconds=30),
            retry_policy=RetryPolicy(initial_interval=timedelta(hours=1)),
        )


async def test_the_server_shows_why_a_pending_activity_failed(temporal: Client) -> None:
    queue = new_id()
    async with Worker(
        temporal,
        task_queue=queue,
        workflows=[Failing],
        activities=[fail_at_length],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        handle = await temporal.start_workflow(Failing.run, id=new_id(), task_queue=queue)

        async def failed_once() -> Failure | None:
            pending = (await handle.describe()).raw_description.pending_activities
            return pending[0].last_failure if pending and pending[0].attempt > 1 else None

        root = await assert_eventually(failed_once)
        await handle.terminate()
    assert root is not None
    while root.HasField("cause"):
        root = root.cause
    assert root.message.startswith(BEGINNING)
