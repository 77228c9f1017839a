"""Repeats a finished research, and compares the two results bit for bit."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from api.idempotency import IdempotencyKey
from api.operations.schemas import Difference, Reproduced
from api.operations.start import make_research_start
from api.operations.starter import Starter
from errors import ExperimentNotFound, NotReproducible
from quant.messages.strategy import StrategySpec
from quant.wording import say_missing
from storage.ledger.ledger import Ledger
from storage.ledger.records import Experiment
from workflows.interface.messages import Reproduction, ResearchInput, ResearchRequest

# Paths of artifacts contain the operation id, and the ledger has grown since.
_NEVER_EQUAL = ("model_path", "report_path", "ledger_head", "market")


class Reproducer:
    """Repeats researches, even if Temporal no longer keeps them: the ledger has their requests."""

    def __init__(self, ledger: Ledger, starter: Starter) -> None:
        self._ledger = ledger
        self._starter = starter

    async def reproduce(self, operation_id: str, key: IdempotencyKey | None) -> str:
        """Start a research that repeats this one, and return its id.

        A search runs again. A strategy of a language model or of a file comes from the record.

        Raises:
            ExperimentNotFound: Nothing is recorded under this id.
            NotReproducible: It has no result, or was recorded before requests were.
            KeyReused: The key was used with a different request.
            AtCapacity: The limit on active researches is reached.
            TemporalUnavailable: Temporal does not answer.
        """
        original = await self._ledger.ask(self._get_experiment, operation_id)
        start = make_research_start(_make_reproduction(original))
        return await self._starter.start_new(start, key)

    async def compare(self, operation_id: str) -> Reproduced:
        """Compare a reproduction with its original.

        Raises:
            ExperimentNotFound: Nothing is recorded under this id.
            NotReproducible: It is not a reproduction, or one of the two has no result.
            LedgerUnavailable: The ledger does not answer.
        """
        return await self._ledger.ask(self._compare, operation_id)

    def _compare(self, operation_id: str) -> Reproduced:
        reproduction = self._get_experiment(operation_id)
        if reproduction.reproduces is None:
            raise NotReproducible(f"{operation_id} is not a reproduction.")
        original = self._get_experiment(reproduction.reproduces)
        differences = list(
            _find_differences(
                {"strategy": original.strategy, "result": original.metrics},
                {"strategy": reproduction.strategy, "result": reproduction.metrics},
            )
        )
        return Reproduced(
            operation_id=operation_id,
            reproduces=original.operation_id,
            identical=not differences,
            differences=differences,
            versions=list(_find_differences(original.versions or {}, reproduction.versions or {})),
        )

    def _get_experiment(self, operation_id: str) -> Experiment:
        experiment = self._ledger.experiments.get(operation_id)
        if experiment is None:
            raise ExperimentNotFound(say_missing("experiment", operation_id))
        if experiment.metrics is None:
            raise NotReproducible(f"{operation_id} is {experiment.status}; it has no result.")
        return experiment


def _make_reproduction(original: Experiment) -> ResearchInput:
    if original.request is None or original.strategy is None or original.metrics is None:
        raise NotReproducible(
            f"The record of {original.operation_id} does not contain its request."
        )
    try:
        request = ResearchRequest.model_validate(original.request)
        spec = StrategySpec.model_validate(original.strategy)
    except ValidationError as error:
        raise NotReproducible(
            f"The request of {original.operation_id} is no longer valid: "
            f"{error.errors()[0]['msg']}."
        ) from None
    searches = request.designer == "search" and request.strategy is None
    statistics = original.metrics.get("statistics") or {}
    return ResearchInput(
        **request.model_dump(),
        reproduces=Reproduction(
            operation_id=original.operation_id,
            data_hash=original.metrics["data_hash"],
            benchmark_hash=original.metrics.get("benchmark_hash"),
            seed=original.seed,
            spec=None if searches else spec,
            trials_ever=statistics.get("trials_ever", 1),
            holdout_looks=statistics.get("holdout_looks", 1),
        ),
    )


def _find_differences(
    recorded: Mapping[str, Any], reproduced: Mapping[str, Any], path: str = ""
) -> Iterator[Difference]:
    # A newer version may record more keys. The older record has nothing to compare with them.
    for key in sorted(recorded):
        if key in _NEVER_EQUAL:
            continue
        before, after = recorded.get(key), reproduced.get(key)
        if isinstance(before, dict) and isinstance(after, dict):
            yield from _find_differences(before, after, f"{path}{key}.")
        elif before != after:
            yield Difference(name=f"{path}{key}", recorded=before, reproduced=after)
