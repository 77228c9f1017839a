"""How campaigns look in a terminal."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from api.campaigns.schemas import CampaignInfo, CampaignStarted
from cli.render.terminal.prose import print_prose
from cli.render.terminal.tables import format_duration, format_figure, print_rows
from quant.messages.campaign import CampaignReport, CampaignRow
from quant.wording import format_count


def print_campaign_started(console: Console, started: CampaignStarted) -> None:
    """Print that a campaign has been accepted, and how large it is."""
    console.print(f"Started {started.operation_id}", markup=False)
    members = format_count(started.members, "research", "researches")
    console.print(f"{members}, {format_count(started.trials, 'trial')}", markup=False)
    for warning in started.warnings:
        console.print(f"Warning: {warning}", style="yellow", markup=False)


def print_campaign(console: Console, campaign: CampaignInfo) -> None:
    """Print one campaign with its running members."""
    table = Table.grid(padding=(0, 2))
    table.add_row("Campaign", escape(campaign.operation_id))
    table.add_row("Name", escape(campaign.goal or ""))
    table.add_row("Status", _describe_status(campaign))
    table.add_row("Progress", escape(campaign.progress.current_step))
    table.add_row("Running for", format_duration(campaign.duration_seconds))
    if campaign.campaign is not None:
        state = campaign.campaign.state
        verdicts = (
            f"{count:,} {name.replace('_', ' ')}" for name, count in sorted(state.verdicts.items())
        )
        table.add_row("Verdicts", ", ".join(verdicts) or "none yet")
        table.add_row("Spent", f"{format_count(state.trials, 'trial')}, ${state.cost:.2f}")
        for failure in state.failures:
            table.add_row("Failed", escape(f"{failure.operation_id}: {failure.error}"))
        for promising in state.promising:
            table.add_row("Promising", escape(promising))
    sought = {row.operation_id: _describe_sought(row) for row in campaign.running}
    for child in campaign.children:
        parts = (child.operation_id, sought.get(child.operation_id))
        table.add_row("Running", escape(": ".join(filter(None, parts))))
    console.print(table)


def print_campaign_report(console: Console, report: CampaignReport) -> None:
    """Print all members as a table, the best first."""
    print_rows(
        console,
        (
            *("ID", "Bars", "Sought", "Seed", "Status", "Verdict"),
            *("Development SR", "Sharpe", "Deflated SR, prob.", "Discovery", "Return", "Error"),
        ),
        (
            (
                row.operation_id,
                _name_bars(row),
                _name_source(row),
                format_figure(row.seed, ""),
                row.status,
                row.verdict or "",
                format_figure(row.development_sharpe, "z.2f"),
                format_figure(row.sharpe, "z.2f"),
                format_figure(row.deflated_sharpe, ".0%"),
                "yes" if row.is_discovery else "",
                format_figure(row.total_return, "+z.1%"),
                row.error or "",
            )
            for row in report.rows
        ),
    )
    campaign = report.campaign
    members = format_count(campaign.members, "research", "researches")
    console.print(f"{campaign.state.begun:,} of {members} begun, {campaign.status}", markup=False)
    print_prose(
        console,
        f"{format_count(report.discoveries, 'discovery', 'discoveries')}: promising by all trials "
        "until today, and among all members that were judged (Benjamini and Yekutieli).",
        style="dim",
    )


def _name_bars(row: CampaignRow) -> str:
    return f"{row.symbol or ''} {row.timeframe or ''}".strip()


def _name_source(row: CampaignRow) -> str:
    return row.brief or row.strategy_name or row.designer or ""


def _describe_sought(row: CampaignRow) -> str:
    seed = "" if row.seed is None else f"seed {row.seed}"
    return ", ".join(filter(None, (_name_bars(row), _name_source(row), seed)))


def _describe_status(campaign: CampaignInfo) -> str:
    why = campaign.error_message or campaign.cancellation_reason
    cancelling = " (cancelling)" if campaign.cancel_requested and not why else ""
    return escape(f"{campaign.status}{cancelling}{f': {why}' if why else ''}")
