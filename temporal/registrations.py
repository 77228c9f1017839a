"""Which workflows and activities are served on which task queue."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from activities.admission import admit_member, count_active
from activities.ending import read_progress_at_end
from activities.research import ResearchActivities
from workflows.admission import Admission, LastingAdmission
from workflows.backtest import Backtest
from workflows.campaign import Campaign
from workflows.claim import Claim
from workflows.notification import Notification
from workflows.policies import (
    BACKTEST_QUEUE,
    COMPUTE_QUEUE,
    RECORD_QUEUE,
    RESEARCH_QUEUE,
    TRAINING_QUEUE,
)
from workflows.research import Research
from workflows.training import Training
from workflows.watch import LastingWatch, Watch


@dataclass(frozen=True)
class Registration:
    """The workflows and activities that a worker serves on one task queue."""

    workflows: Sequence[type]
    activities: Sequence[Callable[..., Any]]


def make_registrations(
    activities: ResearchActivities, *, versioned: bool = False
) -> dict[str, Registration]:
    """Return what is served, by task queue.

    Args:
        activities: The activities of a research.
        versioned: Whether workers of several versions run side by side.
    """
    compute: list[Callable[..., Any]] = [
        activities.design,
        activities.score_slice,
        activities.train,
        activities.backtest,
        activities.assessment,
        activities.look,
    ]
    # Work that an earlier version has put into the queue of its workflow is still done there.
    return {
        RESEARCH_QUEUE: Registration(
            [
                Research,
                Campaign,
                Claim,
                Notification,
                LastingAdmission if versioned else Admission,
                LastingWatch if versioned else Watch,
            ],
            [
                activities.load_strategy,
                activities.design,
                activities.assessment,
                activities.cancel_own_workflow,
                activities.read_cost,
                count_active,
                read_progress_at_end,
            ],
        ),
        TRAINING_QUEUE: Registration(
            [Training], [activities.train, activities.cancel_own_workflow]
        ),
        BACKTEST_QUEUE: Registration(
            [Backtest], [activities.backtest, activities.cancel_own_workflow]
        ),
        COMPUTE_QUEUE: Registration([], compute),
        RECORD_QUEUE: Registration(
            [],
            [
                activities.record_experiment,
                activities.gather_round,
                activities.conclude_search,
                activities.propose_generation,
                activities.record_campaign,
                admit_member,
                activities.notify,
            ],
        ),
    }
