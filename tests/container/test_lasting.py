"""What outlives the containers: back-ups, and researches that run during an upgrade."""

import hashlib
import tarfile
from pathlib import Path
from typing import Final

import pytest

from tests.container.documentation import documented, sections
from tests.container.installation import Installation
from tests.container.researches import completed, shown, start, until_training
from tests.support.helpers import PATIENCE, assert_eventually

pytestmark = pytest.mark.timeout(1800)

BACK_UP: Final = "Back up a team's installation"
RESTORE: Final = "Restore a team's installation"
UPGRADE: Final = "Two versions side by side"

LEDGER: Final = ("exec", "-T", "postgresql", "pg_dump", "-U", "temporal", "--data-only", "ktrdr")


def ledger(installation: Installation) -> list[str]:
    """Return all rows of the ledger; they have no order, and a restored table may have another."""
    lines = installation.compose(*LEDGER).splitlines()
    # Each dump restricts psql with a word of its own.
    return sorted(line for line in lines if not line.startswith(("\\restrict", "\\unrestrict")))


def files(archive: Path) -> dict[str, str]:
    """Return the hash of every file in an archive."""
    with tarfile.open(archive) as opened:
        return {
            member.name: hashlib.sha256(content.read()).hexdigest()
            for member in opened
            if (content := opened.extractfile(member)) is not None
        }


async def test_a_back_up_restores_every_byte_onto_fresh_volumes(
    installation: Installation,
) -> None:
    async with installation.client() as api:
        done = [await start(api, trials=2, symbol="AAPL", seed=seed) for seed in (1, 2)]
        await completed(api, *done)
        reports = [(await api.get(f"/operations/{each}/report")).content for each in done]
        installation.shell(documented(BACK_UP))
        rows = ledger(installation)
        saved = installation.directory / "state.tar"
        before = files(saved)
        installation.compose("down", "--volumes", "--timeout", "60")

    *restore, up = documented(RESTORE).splitlines()
    installation.shell("\n".join(restore))
    assert ledger(installation) == rows
    again = installation.directory / "again"
    again.mkdir()
    restored = documented(BACK_UP).replace("state.tar", "again/state.tar")
    installation.shell(restored.replace("ledger.dump", "again/ledger.dump"))
    assert files(again / "state.tar") == before
    assert any(done[0] in name for name in before)
    installation.shell(up)
    installation.until_healthy()
    async with installation.client() as api:
        assert [(await api.get(f"/operations/{each}/report")).content for each in done] == reports


async def test_a_back_up_succeeds_while_researches_write(installation: Installation) -> None:
    async with installation.client() as api:
        researches = [await start(api, trials=20, seed=seed) for seed in range(6)]
        installation.shell(documented(BACK_UP))
        assert files(installation.directory / "state.tar")
        await completed(api, *researches)


async def test_an_upgrade_leaves_running_researches_to_the_version_before(
    installation: Installation,
) -> None:
    installation.set(KTRDR_DEPLOYMENT="ktrdr", KTRDR_BUILD_ID="0.1.0")
    installation.shell(documented(UPGRADE))
    installation.until_healthy()
    async with installation.client() as api:
        running = await start(api, strategy="slow")
        await until_training(api, running)
        installation.set(KTRDR_BUILD_ID="0.2.0", KTRDR_PREVIOUS_BUILD_ID="0.1.0")
        installation.shell(documented(UPGRADE, block=1))
        new = await start(api, trials=2)
        await completed(api, new)
        assert (await shown(api, running))["status"] == "running"
        accepted = await api.delete(f"/agent/cancel/{running}?wait=20")
        assert accepted.json()["status"] == "cancelled"
    *_, versions = sections()[UPGRADE][1].splitlines()

    async def drained() -> bool:
        return "drained" in installation.shell(versions)

    await assert_eventually(drained, within=PATIENCE)
    installation.shell(documented(UPGRADE, block=2))
    assert not installation.containers("previous-training")
