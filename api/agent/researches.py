"""Starts a research: reads and checks the request, chooses the model, starts the workflow."""

import asyncio

from activities.llm.prices import Prices
from activities.llm.providers import ModelName
from api.agent.budget import DailyBudget
from api.agent.schemas import Triggered
from api.idempotency import IdempotencyKey
from api.operations.start import make_research_start
from api.operations.starter import Starter
from errors import InvalidInput
from quant.bars import catalog
from quant.strategy.files import load_strategy
from settings import Settings
from workflows.messages import ResearchInput, ResearchRequest
from workflows.requests.brief import apply_brief
from workflows.requests.unused_fields import find_unused_fields


class ResearchStarter:
    """Starts researches."""

    def __init__(self, settings: Settings, budget: DailyBudget, starter: Starter) -> None:
        self._settings = settings
        self._prices = Prices(settings.llm_input_price, settings.llm_output_price)
        self._budget = budget
        self._starter = starter

    async def prepare(self, request: ResearchRequest) -> ResearchInput:
        """Return the input of a research: plain values, and what of the request has no effect.

        Raises:
            InvalidInput: A field has no effect, nothing of the brief is understood, the bars or the
                strategy do not exist, or the model is unknown, or has no key or no price.
        """
        request, warnings = self._choose_designer(request)
        if unused := find_unused_fields(request):
            detail = "; ".join(f"{name} has no effect: {why}" for name, why in unused.items())
            raise InvalidInput(f"{detail}.", field=next(iter(unused)))
        if request.designer == "llm" and request.model is not None:
            ModelName.parse(request.model).read_key()
        if request.brief is not None:
            bars = await asyncio.to_thread(self._list_bars)
            applied = apply_brief(request, bars)
            applied.require_effect({symbol for symbol, _ in bars})
            request, warnings = applied.request, [*warnings, *applied.warnings]
        await asyncio.to_thread(catalog.find_file, request.data, self._settings.data_dir)
        if request.strategy is not None:
            await asyncio.to_thread(load_strategy, request.strategy, self._settings.strategy_dir)
        return ResearchInput(**request.model_dump(), warnings=tuple(warnings))

    async def start_research(
        self, request: ResearchRequest, key: IdempotencyKey | None
    ) -> Triggered:
        """Start a research.

        Raises:
            InvalidInput: The request is not valid, as `prepare` says.
            BudgetExhausted: Today's budget is spent.
            KeyReused: The key was used with a different request.
            AtCapacity: The limit on active researches is reached.
            TemporalUnavailable: Temporal does not answer.
        """
        prepared = await self.prepare(request)
        if prepared.designer == "llm":
            await self._budget.require_research()
        operation_id = await self._starter.start_new(make_research_start(prepared), key)
        return Triggered(
            operation_id=operation_id,
            model=prepared.model or prepared.designer,
            understood=prepared.understood,
            warnings=list(prepared.warnings or ()),
        )

    def _choose_designer(self, request: ResearchRequest) -> tuple[ResearchRequest, list[str]]:
        """Return the request with its designer and model, and what has no effect.

        A model without a designer means the designer `llm`. Clients of the earlier system name a
        model whether or not there is a key for it; without one, `search` designs.
        """
        if request.model is None and request.designer == "search":
            return request, []
        name = ModelName.parse(request.model or self._settings.llm_model)
        self._prices.check(name)
        if "designer" in request.model_fields_set and request.designer == "search":
            return request, []
        if "designer" in request.model_fields_set or request.max_cost is not None or name.has_key:
            return request.model_copy(update={"designer": "llm", "model": str(name)}), []
        warning = (
            f"`model` has no effect: there is no key for {name.provider} ({name.key_variable}), so "
            "the designer `search` works without a language model."
        )
        return request.model_copy(update={"model": None}), [warning]

    def _list_bars(self) -> set[tuple[str, str]]:
        """Return the symbols and timeframes that exist."""
        try:
            entries = catalog.list_symbols(self._settings.data_dir)
        except InvalidInput:  # Built-in bars can be used even if the user's directory is wrong.
            entries = catalog.list_symbols(None)
        return {(entry.symbol, entry.timeframe) for entry in entries}
