"""The activities of a campaign: the next generation, the cost of a member, the record."""

from typing import Final

from pydantic import ValidationError
from temporalio import activity

from activities.step import StepActivities, translate_errors
from quant.messages.artifacts import Artifact
from quant.messages.campaign import CampaignRecord, EvolvingMember, Generation, GenerationTask
from quant.messages.strategy import StrategySpec
from quant.search.generations import Parent, propose_generation
from storage.artifacts import ArtifactStore
from storage.ledger.campaigns import DevelopmentOutcome

_NOTHING: Final = DevelopmentOutcome(sharpe=None, strategy=None)


class CampaignActivities(StepActivities):
    """What a campaign does besides its researches."""

    @activity.defn
    def propose_generation(self, task: GenerationTask) -> Generation:
        """Propose the next generation from the development scores in the ledger."""
        with translate_errors():
            ids = [each.operation_id for each in task.members]
            outcomes = self._ledger.campaigns.get_development(ids)
            parents = [
                _make_parent(each, outcomes.get(each.operation_id, _NOTHING))
                for each in task.members
            ]
            members = propose_generation(parents, task.features, task.seed)
            return Generation(members=tuple(members))

    @activity.defn
    def read_cost(self, operation_id: str) -> float:
        """Return what a research has spent on language models, in US dollars."""
        with translate_errors():
            return self._ledger.spending.get_cost(operation_id) or 0.0

    @activity.defn
    async def record_campaign(self, record: CampaignRecord) -> None:
        """Keep what was asked and how it ended. The ledger keeps the members."""
        with translate_errors():
            artifacts = ArtifactStore(self._settings.artifacts_url).open(record.operation_id)
            await artifacts.store(Artifact.CAMPAIGN, record.model_dump_json().encode())


def _make_parent(member: EvolvingMember, outcome: DevelopmentOutcome) -> Parent:
    try:
        spec = StrategySpec.model_validate(outcome.strategy) if outcome.strategy else None
    except ValidationError:
        spec = None  # A later version has recorded it.
    kinds = dict.fromkeys(feature.kind for feature in spec.features) if spec else {}
    return Parent(cell=member.cell, score=outcome.sharpe, features=tuple(kinds))
