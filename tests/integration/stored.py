"""What Temporal has stored, as the server has it."""

from collections.abc import Iterator, Mapping, MutableSequence, Sequence

from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload, SearchAttributes
from temporalio.api.history.v1 import MarkerRecordedEventAttributes
from temporalio.api.workflowservice.v1 import DescribeScheduleRequest
from temporalio.client import Client

from temporal.encryption import ENCODING


async def of_workflow(client: Client, workflow_id: str) -> list[Message]:
    """Return the history of a workflow, and its description."""
    handle = client.get_workflow_handle(workflow_id)
    events = (await handle.fetch_history()).events
    return [*events, (await handle.describe()).raw_description]


async def of_schedule(client: Client, schedule_id: str) -> list[Message]:
    """Return the description of a schedule."""
    request = DescribeScheduleRequest(namespace=client.namespace, schedule_id=schedule_id)
    return [await client.workflow_service.describe_schedule(request)]


def assert_unreadable(stored: Sequence[Message], *secrets: str) -> None:
    """Check that every payload is encrypted, and that the rest contains none of these words."""
    seen = b"".join(each.SerializeToString() for each in stored).lower()
    assert ENCODING in seen
    for secret in secrets:
        assert secret.lower().encode() not in seen, secret
    for each in stored:
        for payload in _payloads(each):
            assert payload.metadata["encoding"] == ENCODING, payload


def _payloads(message: Message) -> Iterator[Payload]:
    """Find the payloads in a message, except those that are never encrypted.

    These are search attributes, and what the SDK notes of a local activity: its type and times.
    """
    if isinstance(message, Payload):
        yield message
    elif not isinstance(message, SearchAttributes):
        noted = isinstance(message, MarkerRecordedEventAttributes)
        for _, value in message.ListFields():
            for name, part in _parts(value):
                if not (noted and name == "data"):
                    yield from _payloads(part)


def _parts(value: object) -> Iterator[tuple[str | None, Message]]:
    """Return the messages in the value of a field, with their names in a mapping."""
    if isinstance(value, Message):
        yield None, value
    elif isinstance(value, Mapping):
        yield from ((name, part) for name, part in value.items() if isinstance(part, Message))
    elif isinstance(value, MutableSequence):
        yield from ((None, part) for part in value if isinstance(part, Message))
