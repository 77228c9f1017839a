"""Reads candidates, curves and conditions of one research."""

import math
from collections.abc import Sequence
from typing import Final

from api.artifacts.marks import refuse_deleted
from api.evidence.judgement import judge
from api.evidence.schemas import (
    Candidates,
    Curve,
    Curves,
    Judgement,
    ScoredCandidate,
)
from api.evidence.shared_reads import SharedReads
from api.heavy_work import HeavyWork
from api.operations.resolver import Resolver
from errors import ExperimentNotFound, OperationNotFound, TemporalUnavailable
from quant.messages.artifacts import Artifact, parse_artifact
from quant.messages.record.trials import MAX_TRIALS, Trial
from quant.messages.report import curves
from quant.messages.report.dossier import Dossier
from quant.messages.steps import DesignResult
from quant.search.progress import Scale
from quant.wording import say_missing
from storage.artifacts import ArtifactStore
from storage.ledger.ledger import Ledger
from workflows.interface.contract import OperationInfo, OperationType
from workflows.interface.ids import make_step_id

_MOST_POINTS: Final = 400


class EvidenceReader:
    """Reads from Temporal, the artifact store and the ledger."""

    def __init__(
        self, resolver: Resolver, artifacts: ArtifactStore, ledger: Ledger, heavy_work: HeavyWork
    ) -> None:
        self._resolver = resolver
        self._artifacts = artifacts
        self._ledger = ledger
        self._heavy_work = heavy_work
        self._candidates: SharedReads[Candidates] = SharedReads()
        self._curves: SharedReads[Curves] = SharedReads()

    async def read_candidates(self, operation_id: str) -> Candidates:
        """Return the candidates of a research so far, also while they are scored.

        Raises:
            OperationNotFound: No operation has this id.
            TemporalUnavailable: Temporal does not answer.
            ArtifactsUnavailable: The artifact store does not answer.
            LedgerUnavailable: The ledger, which has them while they are scored, does not answer.
        """
        return await self._candidates.read(
            operation_id, lambda: self._read_candidates(operation_id)
        )

    async def read_curves(self, operation_id: str) -> Curves:
        """Return the accounts of a research. That of the holdout only once it is assessed.

        Raises:
            OperationNotFound: No operation has this id, and there is no account of one.
            ArtifactsDeleted: They were deleted.
            TemporalUnavailable: Temporal does not answer, and there is no account.
            ArtifactsUnavailable: The artifact store does not answer.
            DamagedArtifact: An account cannot be read.
        """
        return await self._curves.read(operation_id, lambda: self._read_curves(operation_id))

    async def read_judgement(self, operation_id: str) -> Judgement:
        """Return the checks behind the verdict of an ended research.

        Raises:
            ExperimentNotFound: No research of this id has ended.
            LedgerUnavailable: The ledger does not answer.
        """
        experiment = await self._ledger.ask(self._ledger.experiments.get, operation_id)
        if experiment is None:
            raise ExperimentNotFound(say_missing("experiment", operation_id))
        return judge(experiment)

    async def _read_candidates(self, operation_id: str) -> Candidates:
        design_id = make_step_id(operation_id, OperationType.DESIGN)
        stored = await self._artifacts.open(design_id).fetch(Artifact.TRIALS)
        if stored is not None:
            trials: Sequence[Trial] = await self._heavy_work.run(
                parse_artifact, list[Trial], stored, Artifact.TRIALS
            )
        else:
            trials = await self._ledger.ask(self._ledger.trials.find_of, design_id, MAX_TRIALS)
        operation = await self._find_operation(operation_id, required=stored is None)
        scale = await self._find_scale(operation_id, operation, trials)
        planned = operation.understood.trials if operation and operation.understood else None
        return Candidates(
            operation_id=operation_id,
            planned=planned or (len(trials) if stored is not None else None),
            scored=trials[-1].number if trials else 0,
            candidates=[_describe(trial, scale) for trial in trials] if scale else [],
            luck=_list_luck(scale, max(planned or 0, len(trials))) if scale else [],
        )

    async def _read_curves(self, operation_id: str) -> Curves:
        training = self._artifacts.open(make_step_id(operation_id, OperationType.TRAINING))
        assessment = self._artifacts.open(make_step_id(operation_id, OperationType.ASSESSMENT))
        developed = await training.fetch(Artifact.WALK_FORWARD)
        if developed is None:
            await refuse_deleted(self._artifacts, operation_id)
            await self._resolver.find_operation(operation_id)
        traded = None
        # Whoever has seen the holdout may not choose by it. So it is shown with the verdict.
        if await assessment.describe(Artifact.DOSSIER) is not None:
            backtest = self._artifacts.open(make_step_id(operation_id, OperationType.BACKTEST))
            traded = await backtest.fetch(Artifact.CURVES)
        return Curves(
            operation_id=operation_id,
            walk_forward=developed and await self._heavy_work.run(_thin_walk_forward, developed),
            holdout=traded and await self._heavy_work.run(_thin_holdout, traded),
        )

    async def _find_operation(self, operation_id: str, *, required: bool) -> OperationInfo | None:
        """Return the operation. None if Temporal cannot say it, and it is not required."""
        try:
            return await self._resolver.find_operation(operation_id)
        except (OperationNotFound, TemporalUnavailable):
            # Temporal keeps an operation for a shorter time than its artifacts are kept.
            if required:
                raise
            return None

    async def _find_scale(
        self, operation_id: str, operation: OperationInfo | None, trials: Sequence[Trial]
    ) -> Scale | None:
        """Return the scale as the running search says it, or as results show it."""
        scale = Scale.read(operation.progress) if operation else None
        if scale is not None:
            return scale
        assessment = self._artifacts.open(make_step_id(operation_id, OperationType.ASSESSMENT))
        stored = await assessment.fetch(Artifact.DOSSIER)
        if stored is not None:
            return await self._heavy_work.run(_read_scale, stored)
        return await self._derive_scale(operation_id, trials)

    async def _derive_scale(self, operation_id: str, trials: Sequence[Trial]) -> Scale | None:
        """Return the scale by the result of the design: its annualised score of the best trial."""
        best = max((trial.sharpe for trial in trials if trial.sharpe is not None), default=None)
        try:
            workflow = await self._resolver.find_workflow(operation_id)
            design = await self._resolver.read_step_result(workflow, OperationType.DESIGN)
        except (OperationNotFound, TemporalUnavailable):
            return None
        if not isinstance(design, DesignResult) or not design.best_sharpe or not best:
            return None
        return Scale.of(design.data.bars, (design.best_sharpe / best) ** 2)


def _describe(trial: Trial, scale: Scale) -> ScoredCandidate:
    year = math.sqrt(scale.periods_per_year)
    return ScoredCandidate(
        number=trial.number,
        sharpe=None if trial.sharpe is None else trial.sharpe * year,
        trades=trial.trades,
        parameters=trial.parameters,
    )


def _list_luck(scale: Scale, trials: int) -> list[float]:
    return [round(scale.find_luck(number), 4) for number in range(1, trials + 1)]


def _read_scale(content: bytes) -> Scale:
    dossier = parse_artifact(Dossier, content, Artifact.DOSSIER)
    return Scale.of(dossier.input.training.data.bars, dossier.periods_per_year)


def _thin_walk_forward(content: bytes) -> Curve:
    record = parse_artifact(curves.WalkForward, content, Artifact.WALK_FORWARD)
    return _thin(record.timestamps, record.equity, record.benchmark_equity)


def _thin_holdout(content: bytes) -> Curve:
    record = parse_artifact(curves.Curves, content, Artifact.CURVES)
    return _thin(record.timestamps, record.equity["1x"], record.benchmark_equity)


def _thin(timestamps: Sequence[str], equity: Sequence[float], benchmark: Sequence[float]) -> Curve:
    """Keep evenly spaced bars, the first and the last included."""
    last, steps = len(timestamps) - 1, min(len(timestamps), _MOST_POINTS) - 1
    kept = (
        [round(step * last / steps) for step in range(steps + 1)]
        if steps > 0
        else [*range(last + 1)]
    )
    return Curve(
        timestamps=[timestamps[each] for each in kept],
        equity=[equity[each] for each in kept],
        benchmark=[benchmark[each] for each in kept],
    )
