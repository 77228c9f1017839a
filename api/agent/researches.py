"""Starts a research: checks the request, chooses the language model, starts the workflow."""

import asyncio

from activities.llm.prices import Prices
from activities.llm.providers import ModelName
from api.agent.budget import DailyBudget
from api.agent.schemas import Triggered
from api.idempotency import IdempotencyKey
from api.operations.start import make_research_start
from api.operations.starter import Starter
from quant.bars import catalog
from quant.strategy.files import load_strategy
from settings import Settings
from workflows.messages import ResearchRequest


class ResearchStarter:
    """Starts researches."""

    def __init__(self, settings: Settings, budget: DailyBudget, starter: Starter) -> None:
        self._settings = settings
        self._budget = budget
        self._starter = starter

    async def check_research(self, request: ResearchRequest) -> None:
        """Check that this installation has the bars and the strategy.

        Raises:
            InvalidInput: The bars or the strategy do not exist.
        """
        await asyncio.to_thread(catalog.find_file, request.data, self._settings.data_dir)
        if request.strategy is not None:
            await asyncio.to_thread(load_strategy, request.strategy, self._settings.strategy_dir)

    async def start_research(
        self, request: ResearchRequest, key: IdempotencyKey | None
    ) -> Triggered:
        """Start a research.

        Raises:
            InvalidInput: The bars or the strategy do not exist, or the model is unknown, or has no
                key or no price.
            BudgetExhausted: Today's budget is spent.
            KeyReused: The key was used with a different request.
            AtCapacity: The limit on active researches is reached.
            TemporalUnavailable: Temporal does not answer.
        """
        await self.check_research(request)
        if request.designer == "llm":
            model = self._choose_model(request)
            await self._budget.require_research()
            request = request.model_copy(update={"model": str(model)})
        operation_id = await self._starter.start_new(make_research_start(request), key)
        return Triggered(operation_id=operation_id, model=request.model or request.designer)

    def _choose_model(self, request: ResearchRequest) -> ModelName:
        """Return the language model that the research will use."""
        name = ModelName.parse(request.model or self._settings.llm_model)
        name.read_key()
        Prices(self._settings.llm_input_price, self._settings.llm_output_price).check(name)
        return name
