"""Sets up and checks Temporal and the ledger, without the API."""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, TypeVar

from settings import Settings
from storage.ledger.ledger import Ledger
from temporal import deployments
from temporal.connection import connect, register_search_attributes, set_retention

T = TypeVar("T")

# A process that ends at once after it has used Temporal's client may abort (sdk-python#300).
_SECONDS_TO_LET_GO = 0.3

_LONGEST_ANSWER = timedelta(seconds=5)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Do this work in an event loop of its own, and return its result."""
    return asyncio.run(_let_go_after(work))


async def _let_go_after(work: Coroutine[Any, Any, T]) -> T:
    result = await work
    await asyncio.sleep(_SECONDS_TO_LET_GO)
    return result


async def set_up(settings: Settings, retention_hours: int | None) -> list[str]:
    """Prepare the namespace and the ledger, and return what was changed, one sentence each."""
    client = await connect()
    added = await register_search_attributes(client)
    changes = [f"search attribute {name} registered" for name in added]
    if retention_hours is not None:
        wanted = timedelta(hours=retention_hours)
        before = await set_retention(client, wanted)
        if before != wanted:
            changes.append(f"retention changed from {before} to {wanted}")
    ledger = Ledger(settings.ledger_url)
    revisions = await asyncio.to_thread(ledger.upgrade)
    ledger.close()
    if revisions.before is None:
        changes.append(f"ledger created at revision {revisions.after}")
    elif revisions.before != revisions.after:
        changes.append(f"ledger migrated from revision {revisions.before} to {revisions.after}")
    return changes


async def check_health(settings: Settings) -> None:
    """Return if Temporal and the ledger are reachable."""
    client = await connect()
    await client.service_client.check_health(timeout=_LONGEST_ANSWER)
    ledger = Ledger(settings.ledger_url)
    await asyncio.to_thread(ledger.ping)
    ledger.close()


async def promote(deployment: str, build_id: str) -> None:
    """Start new operations on this version from now on."""
    await deployments.promote(await connect(), deployment, build_id)


async def versions(deployment: str) -> list[deployments.Version]:
    """Return the versions of the workers."""
    return await deployments.list_versions(await connect(), deployment)
