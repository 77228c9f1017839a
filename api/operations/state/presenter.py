"""What the answer about one operation shows beyond what the operation itself knows."""

import contextlib
from typing import Final

from api.operations.figures import add_figures
from api.operations.results import fetch_training_metrics
from api.operations.schemas import EpochMetrics
from errors import ArtifactsUnavailable, DamagedArtifact, LedgerUnavailable
from storage.artifacts import ArtifactStore
from storage.ledger.ledger import Ledger
from workflows.interface.contract import OperationInfo, OperationType

_BY_LANGUAGE_MODEL: Final = "llm"


class Presenter:
    """Adds what the artifact store and the ledger know of an operation.

    Without them the operation is shown all the same.
    """

    def __init__(self, artifacts: ArtifactStore, ledger: Ledger) -> None:
        self._artifacts = artifacts
        self._ledger = ledger

    async def present(self, operation: OperationInfo) -> OperationInfo:
        """Return the operation with its figures, iterations and tokens."""
        shown = add_figures(operation)
        if shown.operation_type is OperationType.TRAINING:
            return await self._add_epochs(shown)
        if shown.operation_type is OperationType.RESEARCH:
            return await self._add_tokens(shown)
        return shown

    async def _add_epochs(self, training: OperationInfo) -> OperationInfo:
        with contextlib.suppress(ArtifactsUnavailable, DamagedArtifact):
            metrics = await fetch_training_metrics(self._artifacts, training.operation_id)
            if metrics is not None:
                epochs = EpochMetrics.from_training(metrics).model_dump(mode="json")
                return training.model_copy(update={"metrics": epochs})
        return training

    async def _add_tokens(self, research: OperationInfo) -> OperationInfo:
        parameters = research.metadata.parameters
        if parameters.get("designer") != _BY_LANGUAGE_MODEL:
            return research
        with contextlib.suppress(LedgerUnavailable):
            count = self._ledger.spending.count_tokens
            tokens = await self._ledger.ask_briefly(count, research.operation_id)
            counted = {**parameters, "token_counts": tokens.model_dump()}
            metadata = research.metadata.model_copy(update={"parameters": counted})
            return research.model_copy(update={"metadata": metadata})
        return research
