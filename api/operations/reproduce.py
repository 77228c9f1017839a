"""Repeating a finished research, and comparing the results bit for bit."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from api.operations.schemas import Difference, Reproduced
from api.operations.start import IdempotencyKey, Starter, research_start
from errors import ExperimentNotFound, NotReproducible
from quant.messages.strategy import StrategySpec
from storage.ledger import Ledger
from storage.records import Experiment
from workflows.messages import Reproduction, ResearchInput, ResearchRequest

# Paths of artifacts contain the operation id, so they always differ.
_PLACES = ("model_path", "report_path")


@dataclass(frozen=True)
class Reproducer:
    """Works from the ledger alone, so also when Temporal no longer keeps the research."""

    ledger: Ledger
    starter: Starter

    async def start(self, operation_id: str, key: IdempotencyKey | None) -> str:
        """Start a research that repeats this one, and return its id.

        A search is run again. A strategy from a language model or from a file is taken from the
        record.

        Raises:
            ExperimentNotFound: nothing is recorded under this id.
            NotReproducible: it has no result, or was recorded before requests were.
            KeyReused: the key was used with a different request.
            AtCapacity: the limit on active researches is reached.
            TemporalUnavailable: Temporal does not answer.
        """
        original = await self.ledger.ask(self._recorded, operation_id)
        return await self.starter.start_new(research_start(_again(original)), key)

    async def compare(self, operation_id: str) -> Reproduced:
        """Compare a reproduction with its original.

        Raises:
            ExperimentNotFound: nothing is recorded under this id.
            NotReproducible: it is not a reproduction, or one of the two has no result.
            LedgerUnavailable: the ledger does not answer.
        """
        return await self.ledger.ask(self._compared, operation_id)

    def _compared(self, operation_id: str) -> Reproduced:
        repeated = self._recorded(operation_id)
        if repeated.reproduces is None:
            raise NotReproducible(f"{operation_id} is not a reproduction.")
        original = self._recorded(repeated.reproduces)
        differences = list(
            _differences(
                {"strategy": original.strategy, "result": original.metrics},
                {"strategy": repeated.strategy, "result": repeated.metrics},
            )
        )
        return Reproduced(
            operation_id=operation_id,
            reproduces=original.operation_id,
            identical=not differences,
            differences=differences,
            versions=list(_differences(original.versions or {}, repeated.versions or {})),
        )

    def _recorded(self, operation_id: str) -> Experiment:
        experiment = self.ledger.experiments.get(operation_id)
        if experiment is None:
            raise ExperimentNotFound(f"There is no experiment {operation_id[:100]!r}.")
        if experiment.metrics is None:
            raise NotReproducible(f"{operation_id} is {experiment.status}; it has no result.")
        return experiment


def _again(original: Experiment) -> ResearchInput:
    if original.request is None or original.strategy is None or original.metrics is None:
        raise NotReproducible(
            f"The record of {original.operation_id} does not contain its request."
        )
    try:
        request = ResearchRequest.model_validate(original.request)
        designed = StrategySpec.model_validate(original.strategy)
    except ValidationError as error:
        raise NotReproducible(
            f"The request of {original.operation_id} is no longer valid: "
            f"{error.errors()[0]['msg']}."
        ) from None
    searched = request.designer == "search" and request.strategy is None
    judged = original.metrics.get("statistics") or {}
    return ResearchInput(
        **request.model_dump(),
        reproduces=Reproduction(
            operation_id=original.operation_id,
            data_hash=original.metrics["data_hash"],
            seed=original.seed,
            spec=None if searched else designed,
            trials_ever=judged.get("trials_ever", 1),
            holdout_looks=judged.get("holdout_looks", 1),
        ),
    )


def _differences(
    recorded: Mapping[str, Any], reproduced: Mapping[str, Any], path: str = ""
) -> Iterator[Difference]:
    # What a newer version records besides, nobody can compare.
    for key in sorted(recorded):
        if key in _PLACES:
            continue
        before, after = recorded.get(key), reproduced.get(key)
        if isinstance(before, dict) and isinstance(after, dict):
            yield from _differences(before, after, f"{path}{key}.")
        elif before != after:
            yield Difference(name=f"{path}{key}", recorded=before, reproduced=after)
