"""The page of a campaign: every member in one table."""

from quant.messages.campaign import CampaignReport
from quant.report.rendering import MISSING, render_page
from quant.wording import format_count

_STATES = ("completed", "failed", "cancelled")


def render_campaign(report: CampaignReport) -> str:
    """Return the page as HTML."""
    campaign, state = report.campaign, report.campaign.state
    counts = {name: getattr(state, name) for name in _STATES}
    return render_page(
        "campaign.html.j2",
        campaign=campaign,
        state=state,
        rows=report.rows,
        discoveries=report.discoveries,
        counts=[f"{count:,} {name}" for name, count in counts.items() if count],
        verdicts=[
            f"{count:,} {name.replace('_', ' ')}" for name, count in sorted(state.verdicts.items())
        ],
        missing=MISSING,
        begun=f"{state.begun:,} of {format_count(campaign.members, 'research', 'researches')}",
    )
