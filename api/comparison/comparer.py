"""Compares researches by their reports."""

import asyncio
from collections.abc import Sequence

from api.heavy_work import HeavyWork
from api.operations.results import ResultReader
from errors import InvalidInput
from quant.messages.artifacts import Artifact, parse_artifact
from quant.messages.record.comparison import Comparison
from quant.messages.report.dossier import Dossier
from quant.report.comparison import compare


class Comparer:
    """Reads the data of reports, and compares them off the event loop."""

    def __init__(self, results: ResultReader, heavy_work: HeavyWork) -> None:
        self._results = results
        self._heavy_work = heavy_work

    async def compare(self, operation_ids: Sequence[str]) -> Comparison:
        """Return researches side by side.

        Raises:
            InvalidInput: One is named twice.
            OperationNotFound: No operation has one of the ids.
            NotFinished: One of them has not ended.
            ArtifactsDeleted: The report of one was deleted.
            MissingArtifact: One of them ended without a report.
            ArtifactsUnavailable: The artifact store does not answer.
            TemporalUnavailable: Temporal does not answer.
        """
        if len(set(operation_ids)) < len(operation_ids):
            raise InvalidInput("operation_id: names one research twice.", field="operation_id")
        reading = [
            asyncio.create_task(self._results.read_report(each, "json")) for each in operation_ids
        ]
        await asyncio.gather(*reading, return_exceptions=True)
        # Of several errors, that of the one which was named first.
        reports = [await each for each in reading]
        return await self._heavy_work.run(_compare, reports)


def _compare(reports: Sequence[bytes]) -> Comparison:
    return compare([parse_artifact(Dossier, each, Artifact.DOSSIER) for each in reports])
