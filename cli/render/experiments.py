"""How experiments, hypotheses and the budget look in a terminal."""

from rich.console import Console

from api.agent.schemas import Budget
from api.operations.schemas import Reproduced
from api.schemas import ExperimentListResponse, LeaderboardResponse, MarketListResponse
from cli.local_answers import Exported
from cli.render.terminal.prose import print_prose
from cli.render.terminal.tables import format_figure, format_interval, print_rows, print_values
from quant.wording import format_count
from storage.ledger.records import Experiment, HypothesisRecord

_EVENTS_SHOWN = 10


def print_experiments(console: Console, page: ExperimentListResponse) -> None:
    """Print a page of experiments as a table."""
    print_rows(
        console,
        (
            *("ID", "Bars", "Strategy", "Status", "Verdict"),
            *("Return", "Sharpe", "Deflated SR, prob.", "Cost", "Tags"),
        ),
        (
            (
                row.operation_id,
                f"{row.symbol} {row.timeframe}",
                row.strategy_name or "",
                row.status,
                row.verdict or "",
                format_figure(row.total_return, "+z.1%"),
                format_figure(row.sharpe, "z.2f"),
                format_figure(row.deflated_sharpe, ".0%"),
                format_figure(row.cost, ".4f", "$"),
                ", ".join(row.tags),
            )
            for row in page.data
        ),
    )
    console.print(f"{len(page.data)} of {format_count(page.total_count, 'experiment')}")


def print_leaderboard(console: Console, page: LeaderboardResponse) -> None:
    """Print the leaderboard, with the interval of every Sharpe ratio."""
    print_rows(
        console,
        (
            *("", "ID", "Bars", "Strategy", "Verdict"),
            *("Discovery", "Deflated SR, prob.", "Trials", "Sharpe", "95 %", "Return"),
        ),
        (
            (
                str(rank),
                row.operation_id,
                f"{row.symbol} {row.timeframe}",
                row.strategy_name or "",
                row.verdict or "",
                "yes" if row.is_discovery else "",
                format_figure(row.deflated_sharpe, ".0%"),
                format_figure(row.trials_ever, ","),
                format_figure(row.sharpe, "z.2f"),
                format_interval(row.sharpe_low, row.sharpe_high),
                format_figure(row.total_return, "+z.1%"),
            )
            for rank, row in enumerate(page.data, start=1)
        ),
        title=1,
    )
    console.print(f"{len(page.data)} of {format_count(page.total_count, 'experiment')}")
    print_prose(
        console,
        "Discoveries are promising by today's trials and among all researches ranked here: at most "
        "5 % of them are expected to be false (Benjamini and Yekutieli).",
        style="dim",
    )


def print_markets(console: Console, page: MarketListResponse) -> None:
    """Print the trials and looks of each market, and what the next research must reach there."""
    print_rows(
        console,
        ("Bars", "Researches", "Trials", "Looks", "Next look", "Best by chance", "Required SR"),
        (
            (
                f"{row.symbol} {row.timeframe}",
                f"{row.researches:,}",
                f"{row.trials_ever:,}",
                f"{row.holdout_looks:,}",
                f"{row.next_look:,}",
                format_figure(row.expected_best_sharpe, ".2f"),
                format_figure(row.required_sharpe, ".2f"),
            )
            for row in page.data
        ),
    )
    console.print(f"{len(page.data)} of {format_count(page.total_count, 'market')}")


def print_note(console: Console, experiment: Experiment) -> None:
    """Print what people have written about an experiment."""
    tags = ", ".join(experiment.tags) or "no tags"
    console.print(f"{experiment.operation_id}: {tags}", markup=False, soft_wrap=True)
    if experiment.note is not None:
        console.print(experiment.note, markup=False, soft_wrap=True)


def print_reproduction(console: Console, answer: Reproduced) -> None:
    """Print whether a reproduction is identical, and every difference."""
    same = "identical bit for bit" if answer.identical else "NOT identical"
    console.print(
        f"{answer.operation_id} reproduces {answer.reproduces}: {same}",
        markup=False,
        soft_wrap=True,
    )
    if different := answer.differences + answer.versions:
        rows = ((row.name, str(row.recorded), str(row.reproduced)) for row in different)
        print_rows(console, ("", "recorded", "reproduced"), rows)


def print_experiment(console: Console, experiment: Experiment) -> None:
    """Print the full record of one experiment."""
    print_values(console, experiment)


def print_export(console: Console, written: Exported) -> None:
    """Print how many experiments were written, and where."""
    text = f"{format_count(written.experiments, 'experiment')}: {written.path}"
    console.print(text, markup=False, soft_wrap=True)


def print_hypotheses(console: Console, found: list[HypothesisRecord]) -> None:
    """Print hypotheses as a table."""
    print_rows(
        console,
        ("Bars", "Status", "Hypothesis", "Tested by"),
        (
            (
                f"{row.symbol} {row.timeframe}",
                row.status,
                row.statement,
                row.tested_by or "",
            )
            for row in found
        ),
        title=2,
    )


def print_budget(console: Console, budget: Budget) -> None:
    """Print today's spending and the last calls."""
    spent = f"${budget.today_spend:.4f} spent on {budget.date} (UTC)"
    if budget.budget_disabled:
        console.print(f"{spent}; no limit")
    else:
        researches = format_count(budget.cycles_affordable, "research", "researches")
        console.print(
            f"{spent} of ${budget.daily_limit:.2f}; ${budget.remaining:.4f} left, enough for "
            f"about {researches} with a language model"
        )
    if not budget.spend_events:
        return
    print_rows(
        console,
        ("Research", "Model", "Tokens in", "out", "Cost"),
        (
            (
                event.operation_id,
                event.model,
                f"{event.input_tokens:,}",
                f"{event.output_tokens:,}",
                f"${event.cost:.4f}" + ("" if event.settled else " set aside"),
            )
            for event in budget.spend_events[:_EVENTS_SHOWN]
        ),
    )
