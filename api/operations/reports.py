"""The pages of reports. Each is drawn when somebody looks at it, and then kept beside its data."""

import asyncio
import hashlib
import logging
from typing import Final

from api.heavy_work import HeavyWork
from errors import ArtifactsUnavailable
from quant.messages.artifacts import Artifact, parse_artifact
from quant.messages.report.dossier import Dossier
from quant.messages.watch import WatchRecord
from quant.report.page import render_instrument, render_report
from storage.artifacts import OperationArtifacts

_log = logging.getLogger(__name__)

_MARK: Final = b"<!-- drawn from the report.json whose SHA-256 is "


class ReportPages:
    """Draws pages off the event loop."""

    def __init__(self, heavy_work: HeavyWork) -> None:
        self._heavy_work = heavy_work

    async def fetch(
        self, assessment: OperationArtifacts, watch: OperationArtifacts
    ) -> bytes | None:
        """Return the page of a report, or None if there is no report.

        A page that was drawn from other data is drawn again: a comment may have been added since,
        or new bars. Earlier versions stored each page with its data, so what has no mark is as it
        should be.

        Args:
            assessment: Where the data of the report is.
            watch: Where that of the watch of its strategy is, if there is one.

        Raises:
            ArtifactsUnavailable: The artifact store does not answer.
            DamagedArtifact: The data cannot be read.
        """
        dossier, page, watched = await asyncio.gather(
            assessment.fetch(Artifact.DOSSIER),
            assessment.fetch(Artifact.REPORT),
            watch.fetch(Artifact.WATCH),
        )
        if dossier is None:
            return page
        mark = await self._heavy_work.run(_make_mark, dossier, watched)
        if page is not None and (_MARK not in page[-2 * len(mark) :] or page.endswith(mark)):
            return page
        page = await self._heavy_work.run(_draw, dossier, watched) + mark
        try:
            await assessment.store(Artifact.REPORT, page)
            if await assessment.describe(Artifact.DOSSIER) is None:
                # All artifacts were deleted meanwhile.
                await assessment.delete(Artifact.REPORT)
        except ArtifactsUnavailable as error:
            _log.warning("a page is not kept: %s", error.message)
        return page

    async def draw_instrument(self, dossier: bytes, symbol: str) -> bytes:
        """Return the page of one instrument.

        Raises:
            InvalidInput: It was not traded, or an earlier version kept no prices.
            DamagedArtifact: The data cannot be read.
        """
        return await self._heavy_work.run(_draw_instrument, dossier, symbol)


def _make_mark(dossier: bytes, watched: bytes | None) -> bytes:
    hashes = hashlib.sha256(dossier).hexdigest()
    if watched is not None:
        hashes += f", and the watch.json whose is {hashlib.sha256(watched).hexdigest()}"
    return b"%b%b -->\n" % (_MARK, hashes.encode())


def _draw_instrument(dossier: bytes, symbol: str) -> bytes:
    return render_instrument(parse_artifact(Dossier, dossier, Artifact.DOSSIER), symbol).encode()


def _draw(dossier: bytes, watched: bytes | None) -> bytes:
    watch = None if watched is None else parse_artifact(WatchRecord, watched, Artifact.WATCH)
    return render_report(parse_artifact(Dossier, dossier, Artifact.DOSSIER), watch).encode()
