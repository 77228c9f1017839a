"""What `ktrdr admin` does in Temporal and the ledger directly, without the API."""

import asyncio
from datetime import timedelta

from settings import Settings
from storage.ledger import Ledger
from temporal import deployments
from temporal.connection import connect, keep_closed_workflows, register_search_attributes

# A process that ends at once after it has used Temporal's client may abort (sdk-python#300).
_SECONDS_TO_LET_GO = 0.3

_LONGEST_ANSWER = timedelta(seconds=5)


async def set_up(settings: Settings, retention_hours: int | None) -> list[str]:
    """Prepare the namespace and the ledger, and say what was changed."""
    client = await connect()
    added = await register_search_attributes(client)
    changes = [f"search attribute {name} registered" for name in added]
    if retention_hours is not None:
        wanted = timedelta(hours=retention_hours)
        before = await keep_closed_workflows(client, wanted)
        if before != wanted:
            changes.append(f"retention changed from {before} to {wanted}")
    ledger = Ledger(settings.ledger)
    revisions = await asyncio.to_thread(ledger.upgrade)
    ledger.close()
    if revisions.before is None:
        changes.append(f"ledger created at revision {revisions.after}")
    elif revisions.before != revisions.after:
        changes.append(f"ledger migrated from revision {revisions.before} to {revisions.after}")
    await asyncio.sleep(_SECONDS_TO_LET_GO)
    return changes


async def look(settings: Settings) -> None:
    """Return if Temporal and the ledger are reachable."""
    client = await connect()
    await client.service_client.check_health(timeout=_LONGEST_ANSWER)
    ledger = Ledger(settings.ledger)
    await asyncio.to_thread(ledger.ping)
    ledger.close()
    await asyncio.sleep(_SECONDS_TO_LET_GO)


async def promote(deployment: str, build_id: str) -> None:
    """Start new operations on this version from now on."""
    await deployments.promote(await connect(), deployment, build_id)
    await asyncio.sleep(_SECONDS_TO_LET_GO)


async def versions(deployment: str) -> list[deployments.Version]:
    """Return the versions of the workers."""
    known = await deployments.versions(await connect(), deployment)
    await asyncio.sleep(_SECONDS_TO_LET_GO)
    return known
