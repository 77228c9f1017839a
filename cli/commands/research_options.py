"""The options that describe a research, for every command that starts or schedules one."""

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.main import get_command

from cli.commands.options import (
    EndOption,
    OwnerOption,
    PriorityOption,
    SeedOption,
    StartOption,
    StrategyOption,
    SymbolOption,
    SymbolsOption,
    TimeframeOption,
    TrialsOption,
    UniverseOption,
    show_default,
)
from cli.input.labels import Labels
from cli.service.client import omit_none
from quant.brief.words import KNOWN_WORDS
from quant.verdict.gates import BacktestLimits, TrainingLimits
from workflows.interface.messages import ResearchRequest

GOAL_HELP = f"What to look for, in words. Without a language model these are known: {KNOWN_WORDS}."


def _make_request(
    goal: Annotated[str | None, typer.Argument(help=GOAL_HELP)] = None,
    strategy: StrategyOption = None,
    symbol: SymbolOption = None,
    symbols: SymbolsOption = None,
    universe: UniverseOption = None,
    benchmark: Annotated[
        str | None,
        typer.Option(
            metavar="SYMBOL",
            help="Symbol whose buy and hold the alpha is measured over.",
            show_default="that of the strategy file, or the instruments themselves",
        ),
    ] = None,
    timeframe: TimeframeOption = None,
    start: StartOption = None,
    end: EndOption = None,
    trials: TrialsOption = None,
    feature: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FEATURE",
            help="Feature that the search may choose, such as rsi; may be repeated.",
        ),
    ] = None,
    long_only: Annotated[
        bool | None,
        typer.Option("--long-only/--no-long-only", help="Search without short positions."),
    ] = None,
    seed: SeedOption = None,
    designer: Annotated[
        str | None,
        typer.Option(
            help="`search`, or `llm` for a language model.",
            show_default=show_default(ResearchRequest, "designer"),
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            help="Language model, as provider:model; means `llm`.",
            show_default="KTRDR_LLM_MODEL of the API",
        ),
    ] = None,
    max_cost: Annotated[
        float | None,
        typer.Option(
            "--max-cost",
            help="Cost limit for the language model, in US dollars.",
            show_default="what is left of the day's budget",
        ),
    ] = None,
    memory: Annotated[
        bool | None,
        typer.Option(
            "--memory/--no-memory",
            help="Start from earlier trials on the same bars.",
            show_default="only without a seed",
        ),
    ] = None,
    priority: PriorityOption = None,
    owner: OwnerOption = None,
    min_trades: Annotated[
        int | None,
        typer.Option(
            help="Gate: minimum round trips on the holdout.",
            show_default=show_default(BacktestLimits, "trades"),
        ),
    ] = None,
    max_drawdown: Annotated[
        float | None,
        typer.Option(
            help="Gate: maximum drawdown on the holdout, as a fraction.",
            show_default=show_default(BacktestLimits, "max_drawdown"),
        ),
    ] = None,
    min_sharpe: Annotated[
        float | None,
        typer.Option(
            help="Gate: minimum Sharpe ratio in walk-forward.",
            show_default=show_default(TrainingLimits, "sharpe"),
        ),
    ] = None,
    max_excess_log_loss: Annotated[
        float | None,
        typer.Option(
            help="Gate: maximum log loss above that of the base rate.",
            show_default=show_default(TrainingLimits, "excess_log_loss"),
        ),
    ] = None,
    bypass_gates: Annotated[
        bool, typer.Option("--bypass-gates", help="Continue even if a gate rejects.")
    ] = False,
) -> dict[str, object]:
    """Return the body of the request for a research."""
    training = omit_none(sharpe=min_sharpe, excess_log_loss=max_excess_log_loss)
    backtest = omit_none(trades=min_trades, max_drawdown=max_drawdown)
    return omit_none(
        brief=goal,
        strategy=strategy,
        symbol=symbol,
        symbols=_split(symbols),
        universe=universe,
        benchmark=benchmark,
        timeframe=timeframe,
        start_date=start,
        end_date=end,
        trials=trials,
        features=feature or None,
        long_only=long_only,
        seed=seed,
        designer=designer,
        model=model,
        max_cost=max_cost,
        memory=memory,
        priority=priority,
        owner=owner,
        gates=omit_none(training=training or None, backtest=backtest or None) or None,
        bypass_gates=bypass_gates or None,
    )


def _split(symbols: str | None) -> list[str] | None:
    """Return the symbols of a list with commas."""
    if symbols is None:
        return None
    return [each for part in symbols.split(",") if (each := part.strip())]


def make_research_labels() -> Labels:
    """Return what people type for the fields of a research, in whatever command they see it."""
    app = typer.Typer(add_completion=False)
    app.command()(_make_request)
    return Labels.of(get_command(app).params)


def takes_research(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a research. It gets the request as `research`.

    The options take the place of this parameter, so that all commands have the same ones.
    """
    options = inspect.signature(_make_request).parameters
    parameters: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(command).parameters.items():
        parameters += options.values() if name == "research" else [parameter]

    @functools.wraps(command)
    def run(**given: Any) -> None:
        research = _make_request(**{name: given.pop(name) for name in options})
        command(**given, research=research)

    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return run
