"""Starts a research: reads and checks the request, chooses the model, starts the workflow."""

from activities.llm.prices import Prices
from activities.llm.providers import ModelName
from api.agent.budget import DailyBudget
from api.agent.schemas import Preview, ResearchCost, Triggered
from api.idempotency import IdempotencyKey
from api.operations.start import make_research_start
from api.operations.starter import Starter
from api.steps.readiness import Readiness
from api.user_files import UserFiles
from errors import InvalidInput
from quant.messages.data import name_universe
from quant.messages.readiness import WantedBars
from quant.messages.strategy import StrategySpec
from quant.strategy.requirements import require_usable
from settings import Settings
from storage.ledger.ledger import Ledger
from workflows.interface.messages import ResearchInput, ResearchRequest
from workflows.requests.brief import apply_brief
from workflows.requests.unused_fields import find_unused_fields


class ResearchStarter:
    """Starts researches."""

    def __init__(
        self,
        settings: Settings,
        budget: DailyBudget,
        starter: Starter,
        ledger: Ledger,
        readiness: Readiness,
    ) -> None:
        self._settings = settings
        self._readiness = readiness
        self._ledger = ledger
        self._prices = Prices(settings.llm_input_price, settings.llm_output_price)
        self._budget = budget
        self._starter = starter

    def open_files(self) -> UserFiles:
        """Return what the user has put into directories, for one request."""
        return UserFiles(self._settings)

    async def prepare(self, request: ResearchRequest, files: UserFiles) -> ResearchInput:
        """Return the input of a research: plain values, and what of the request has no effect.

        Args:
            request: The request.
            files: What the user has; of several requests that belong together, the same.

        Raises:
            InvalidInput: A field has no effect, nothing of the brief is understood, the bars or the
                strategy do not exist, or the model is unknown, or has no key or no price.
        """
        prepared, _ = await self._prepare(request, files)
        return prepared

    async def prepare_to_start(self, request: ResearchRequest) -> ResearchInput:
        """Return the input of a research, as `prepare` does, if there are enough bars for it.

        Raises:
            InvalidInput: The request is not valid, as `prepare` says, or there are too few bars.
        """
        files = self.open_files()
        prepared, spec = await self._prepare(request, files)
        await self._readiness.require(
            files.bars, WantedBars(data=prepared.data, spec=spec, benchmark=prepared.benchmark)
        )
        return prepared

    async def _prepare(
        self, request: ResearchRequest, files: UserFiles
    ) -> tuple[ResearchInput, StrategySpec | None]:
        """Return the input of a research, and the strategy that it names, if any."""
        spec = await files.load_strategy(request.strategy) if request.strategy else None
        if (universe := _find_universe(request, spec)) is not None:
            request = _name_instruments(request, universe, await files.read_universe(universe))
        request, warnings = self._choose_designer(request)
        if unused := find_unused_fields(request):
            detail = "; ".join(f"{name} has no effect: {why}" for name, why in unused.items())
            raise InvalidInput(f"{detail}.", field=next(iter(unused)))
        if request.designer == "llm" and request.model is not None:
            ModelName.parse(request.model).read_key()
        if request.brief is not None:
            bars = await files.list_bars()
            applied = apply_brief(request, bars)
            applied.require_effect({symbol for symbol, _ in bars})
            request, warnings = applied.request, [*warnings, *applied.warnings]
        benchmark = request.benchmark or (spec.benchmark if spec is not None else None)
        await files.require_bars(request.data, benchmark)
        if benchmark is not None:
            request = request.model_copy(update={"benchmark": benchmark})
        if spec is not None:
            require_usable(spec, request.timeframe, len(request.instruments))
        return ResearchInput(**request.model_dump(), warnings=tuple(warnings)), spec

    async def preview(self, request: ResearchRequest) -> Preview:
        """Return what a request is understood to be about and what it will cost, and start nothing.

        Raises:
            InvalidInput: The request is not valid, as `prepare_to_start` says.
            LedgerUnavailable: The ledger, which counts trials and looks, does not answer.
        """
        prepared = await self.prepare_to_start(request)
        trials, looks = await self._ledger.ask(
            self._ledger.leaderboard.count, prepared.symbol, prepared.timeframe
        )
        return Preview(
            understood=prepared.understood,
            sentence=prepared.understood.sentence,
            warnings=list(prepared.warnings or ()),
            model=prepared.model or prepared.designer,
            cost=ResearchCost(
                symbols=list(prepared.understood.symbols),
                timeframe=prepared.timeframe,
                trials=1 if prepared.strategy else prepared.trials,
                trials_ever=trials,
                look=looks + 1,
            ),
        )

    async def start_research(
        self, request: ResearchRequest, key: IdempotencyKey | None
    ) -> Triggered:
        """Start a research.

        Raises:
            InvalidInput: The request is not valid, as `prepare_to_start` says.
            BudgetExhausted: Today's budget is spent.
            KeyReused: The key was used with a different request.
            AtCapacity: The limit on active researches is reached.
            TemporalUnavailable: Temporal does not answer.
        """
        prepared = await self.prepare_to_start(request)
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


def _find_universe(request: ResearchRequest, spec: StrategySpec | None) -> str | None:
    """Return the name of the universe that a request, or its strategy, is about."""
    if request.universe is None and spec is not None and "symbol" not in request.model_fields_set:
        return spec.universe
    return request.universe


def _name_instruments(
    request: ResearchRequest, universe: str, symbols: tuple[str, ...]
) -> ResearchRequest:
    """Return the request with the symbols of a universe."""
    given = request.model_dump(exclude_unset=True)
    if given.get("symbol", name_universe(symbols)) != name_universe(symbols):
        raise InvalidInput(
            f"universe: {universe} has other symbols than `{given['symbol']}`; give one of them.",
            field="universe",
        )
    return ResearchRequest.model_validate({**given, "universe": universe, "symbols": symbols})
