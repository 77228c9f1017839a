"""The size of a research in Temporal's history, and whether it grows with the trials."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload
from temporalio.client import Client

from bench.figures import Figure, publish
from bench.search.stack import running_stack
from bench.temporary import start_research, temporary_stack
from quant.messages.record.trials import MAX_TRIALS
from workflows.interface.contract import OperationType
from workflows.interface.ids import make_step_id
from workflows.interface.messages import ResearchRequest

TRIALS = (2, 24, 100)
SEED = 1
MOST_EVENTS = 60
MOST_PAYLOAD_KIB = 64.0
MOST_EVENTS_OF_LARGE = 12_000
MOST_MIB_OF_LARGE = 2.0
# More trials find another strategy, with more or fewer features, so the size varies a little. The
# record of a trial has some 400 bytes: a history that held trials would be far above this limit.
MOST_BYTES_PER_TRIAL = 32.0


@dataclass(frozen=True)
class Size:
    """Size of one or more histories."""

    events: int
    payload_bytes: int

    def __add__(self, other: "Size") -> "Size":
        return Size(self.events + other.events, self.payload_bytes + other.payload_bytes)


async def main() -> None:
    """Measure and publish."""
    own: dict[int, Size] = {}
    together: dict[int, Size] = {}
    async with temporary_stack() as (_, client):
        for trials in TRIALS:
            request = ResearchRequest(trials=trials, seed=SEED, bypass_gates=True)
            research = await start_research(client, request)
            await research.result()
            own[trials] = await _measure(client, research.id)
            together[trials] = own[trials]
            for step in (OperationType.TRAINING, OperationType.BACKTEST):
                together[trials] += await _measure(client, make_step_id(research.id, step))
    publish(
        "history",
        [
            *await _measure_large(),
            *_compare("research", own, MOST_EVENTS, MOST_PAYLOAD_KIB),
            *_compare("with children", together, None, MOST_PAYLOAD_KIB),
        ],
    )


async def _measure_large() -> list[Figure]:
    """Measure the largest search. Its slices are stand-ins that end at once."""
    async with running_stack(8, worker=("-m", "bench.search.standing", "0.0"), bars=0) as running:
        request = ResearchRequest(trials=MAX_TRIALS, seed=0)
        research = await start_research(running.client, request)
        await research.result()
        info = (await research.describe()).raw_description.workflow_execution_info
    name = f"research, {MAX_TRIALS:,} trials"
    return [
        Figure(f"{name}: events", "", info.history_length, MOST_EVENTS_OF_LARGE),
        Figure(f"{name}: history", "MiB", info.history_size_bytes / 2**20, MOST_MIB_OF_LARGE),
    ]


def _compare(
    what: str, sizes: dict[int, Size], most_events: int | None, most_kib: float | None
) -> Iterator[Figure]:
    fewest, most = sizes[TRIALS[0]], sizes[TRIALS[-1]]
    further = TRIALS[-1] - TRIALS[0]
    for trials, size in sizes.items():
        payload_kib = size.payload_bytes / 1024
        yield Figure(f"{what}, {trials} trials: events", "", size.events, most_events)
        yield Figure(f"{what}, {trials} trials: payloads", "KiB", payload_kib, most_kib)
    yield Figure(f"{what}: events per {further} more trials", "", most.events - fewest.events, 0)
    yield Figure(
        f"{what}: payload per further trial",
        "bytes",
        (most.payload_bytes - fewest.payload_bytes) / further,
        MOST_BYTES_PER_TRIAL,
    )


async def _measure(client: Client, workflow_id: str) -> Size:
    history = await client.get_workflow_handle(workflow_id).fetch_history()
    payloads = [payload for event in history.events for payload in _find_payloads(event)]
    return Size(len(history.events), sum(payload.ByteSize() for payload in payloads))


def _find_payloads(message: Message) -> Iterator[Payload]:
    """Yield all payloads within a message, at any depth."""
    if isinstance(message, Payload):
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            children = [each for each in value.values() if isinstance(each, Message)]
        else:
            children = list(value) if field.is_repeated else [value]
        for child in children:
            yield from _find_payloads(child)


if __name__ == "__main__":
    asyncio.run(main())
