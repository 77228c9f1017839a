"""How experiments, hypotheses and the budget look in a terminal."""

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.pretty import pretty_repr
from rich.table import Table

_EVENTS_SHOWN = 10


def print_experiments(console: Console, page: dict[str, Any]) -> None:
    """Print a page of experiments as a table."""
    table = Table(
        *("ID", "Bars", "Strategy", "Status", "Verdict", "Return", "Sharpe"),
        *("Deflated SR", "Cost"),
        box=None,
        pad_edge=False,
    )
    for row in page["data"]:
        table.add_row(
            escape(row["operation_id"]),
            f"{row['symbol']} {row['timeframe']}",
            escape(row["strategy_name"] or ""),
            row["status"],
            row["verdict"] or "",
            _shown(row["total_return"], "+.1%"),
            _shown(row["sharpe"], ".2f"),
            _shown(row["deflated_sharpe"], ".0%"),
            _shown(row["cost"], ".4f", "$"),
        )
    console.print(table)
    console.print(f"{len(page['data'])} of {page['total_count']} experiments")


def print_leaderboard(console: Console, page: dict[str, Any]) -> None:
    """Print researches ranked by deflated Sharpe ratio, with the interval of the Sharpe ratio."""
    table = Table(
        *("", "ID", "Bars", "Strategy", "Verdict"),
        *("Deflated SR", "Sharpe", "95 %", "Return"),
        box=None,
        pad_edge=False,
    )
    for rank, row in enumerate(page["data"], start=1):
        low, high = row["sharpe_low"], row["sharpe_high"]
        table.add_row(
            str(rank),
            escape(row["operation_id"]),
            f"{row['symbol']} {row['timeframe']}",
            escape(row["strategy_name"] or ""),
            row["verdict"] or "",
            _shown(row["deflated_sharpe"], ".0%"),
            _shown(row["sharpe"], ".2f"),
            "" if low is None or high is None else f"{low:.2f} to {high:.2f}",
            _shown(row["total_return"], "+.1%"),
        )
    console.print(table)
    console.print(f"{len(page['data'])} of {page['total_count']} experiments")


def print_reproduction(console: Console, answer: dict[str, Any]) -> None:
    """Print whether a reproduction is identical, and every difference."""
    same = "identical bit for bit" if answer["identical"] else "NOT identical"
    console.print(
        f"{answer['operation_id']} reproduces {answer['reproduces']}: {same}",
        markup=False,
        soft_wrap=True,
    )
    table = Table("", "recorded", "reproduced", box=None, pad_edge=False)
    for row in answer["differences"] + answer["versions"]:
        table.add_row(*(escape(str(row[name])) for name in ("name", "recorded", "reproduced")))
    if table.row_count:
        console.print(table)


def print_experiment(console: Console, experiment: dict[str, Any]) -> None:
    """Print the full record of one experiment."""
    table = Table.grid(padding=(0, 2))
    for name, value in experiment.items():
        if value is not None:
            shown = value if isinstance(value, str) else pretty_repr(value)
            table.add_row(escape(name), escape(shown))
    console.print(table)


def print_export(console: Console, written: dict[str, Any]) -> None:
    """Print how many experiments were written, and where."""
    text = f"{written['experiments']} experiments: {written['path']}"
    console.print(text, markup=False, soft_wrap=True)


def print_hypotheses(console: Console, found: list[dict[str, Any]]) -> None:
    """Print hypotheses as a table."""
    table = Table("Bars", "Status", "Hypothesis", "Tested by", box=None, pad_edge=False)
    for row in found:
        table.add_row(
            f"{row['symbol']} {row['timeframe']}",
            row["status"],
            escape(row["statement"]),
            escape(row["tested_by"] or ""),
        )
    console.print(table)


def print_budget(console: Console, budget: dict[str, Any]) -> None:
    """Print today's spending and the last calls."""
    spent = f"${budget['today_spend']:.4f} spent on {budget['date']} (UTC)"
    if budget["budget_disabled"]:
        console.print(f"{spent}; no limit")
    else:
        console.print(
            f"{spent} of ${budget['daily_limit']:.2f}; ${budget['remaining']:.4f} left, enough for "
            f"about {budget['cycles_affordable']} researches with a language model"
        )
    if not budget["spend_events"]:
        return
    table = Table("Research", "Model", "Tokens in", "out", "Cost", box=None, pad_edge=False)
    for event in budget["spend_events"][:_EVENTS_SHOWN]:
        table.add_row(
            escape(event["operation_id"]),
            escape(event["model"]),
            str(event["input_tokens"]),
            str(event["output_tokens"]),
            f"${event['cost']:.4f}" + ("" if event["settled"] else " set aside"),
        )
    console.print(table)


def _shown(value: float | None, how: str, unit: str = "") -> str:
    return "" if value is None else f"{unit}{value:{how}}"
