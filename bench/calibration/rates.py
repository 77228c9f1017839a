"""Shares of promising verdicts, each with its 95 % interval."""

from collections.abc import Iterator, Sequence

from scipy.stats import binomtest

from bench.calibration.case import Outcome
from bench.calibration.plan import GROUPS
from bench.figures import Figure
from quant.messages.evidence import Statistics
from quant.verdict.deflation import control_false_discoveries, judge_today
from storage.ledger.leaderboard import FALSE_DISCOVERY_RATE

CAMPAIGN = 50


def count_groups(outcomes: Sequence[Outcome]) -> Iterator[Figure]:
    """Yield the share of each group, and of each kind in it."""
    for group in GROUPS:
        found = [outcome for outcome in outcomes if outcome.case.group == group.name]
        if not found:
            continue
        yield from _measure(f"{group.name}: all", found, most=group.most)
        for kind in group.kinds:
            of_kind = [outcome for outcome in found if outcome.case.kind == kind]
            if of_kind:
                yield from _measure(f"{group.name}: {kind}", of_kind, least=group.least)


def count_campaigns(outcomes: Sequence[Outcome]) -> Iterator[Figure]:
    """Yield the shares of campaigns over fifty series of noise with any promising verdict.

    And with any discovery: what a campaign and the leaderboard call one, judged among all fifty.
    """
    noise = [
        outcome
        for outcome in outcomes
        if outcome.case.strength is None and outcome.case.researches == 1
    ]
    noise.sort(key=lambda outcome: (outcome.case.seed, outcome.case.group, outcome.case.kind))
    campaigns = [noise[at : at + CAMPAIGN] for at in range(0, len(noise), CAMPAIGN)]
    whole = [one for one in campaigns if len(one) == CAMPAIGN]
    for what, has_any in (("promising verdict", _has_promising), ("discovery", _has_discovery)):
        if whole:
            found = sum(map(has_any, whole))
            yield Figure(f"campaigns of {CAMPAIGN} with a {what} ({len(whole)})", "", found)


def _has_promising(campaign: Sequence[Outcome]) -> bool:
    return any(each.is_promising for each in campaign)


def _has_discovery(campaign: Sequence[Outcome]) -> bool:
    rates = control_false_discoveries([_find_p_value(each) for each in campaign])
    return any(
        each.is_promising and rate <= FALSE_DISCOVERY_RATE
        for each, rate in zip(campaign, rates, strict=True)
    )


def _find_p_value(outcome: Outcome) -> float:
    """Return the p-value by which a leaderboard ranks; 1 if a gate stopped the research."""
    if outcome.figures is None:
        return 1.0
    statistics = Statistics.model_validate(outcome.figures)
    return judge_today(statistics.trials_ever, statistics).p_value


def _measure(
    name: str, outcomes: Sequence[Outcome], *, most: float | None = None, least: float | None = None
) -> Iterator[Figure]:
    """Yield a share, with its interval: Clopper and Pearson's for few, exact at both ends."""
    called = sum(outcome.is_promising for outcome in outcomes)
    share = binomtest(called, len(outcomes))
    interval = share.proportion_ci(method="exact")
    text = f"{name}: {called} of {len(outcomes)} promising, %"
    yield Figure(text, "", 100.0 * share.statistic, least and 100.0 * least, "min")
    yield Figure("  95 % interval from, %", "", 100.0 * interval.low)
    yield Figure("  to, %", "", 100.0 * interval.high, most and 100.0 * most, "max")
