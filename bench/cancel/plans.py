"""What a stand-in research does. The plan is passed as the seed, which every step gets."""

from enum import IntEnum

from workflows.interface.contract import OperationType
from workflows.interface.messages import ResearchRequest

_STEPS = (
    OperationType.DESIGN,
    OperationType.TRAINING,
    OperationType.BACKTEST,
    OperationType.ASSESSMENT,
)
_FAILING = len(_STEPS)


class Plan(IntEnum):
    """The step in which a research fails, or stays until it is cancelled. Others end at once."""

    GO_THROUGH = 0
    STAY_IN_DESIGN = 1
    STAY_IN_TRAINING = 2
    STAY_IN_BACKTEST = 3
    STAY_IN_ASSESSMENT = 4
    FAIL_IN_DESIGN = 5
    FAIL_IN_TRAINING = 6
    FAIL_IN_BACKTEST = 7
    FAIL_IN_ASSESSMENT = 8

    @property
    def step(self) -> OperationType | None:
        """The step in which something happens."""
        return _STEPS[(self - 1) % len(_STEPS)] if self else None

    @property
    def fails(self) -> bool:
        """Whether that step fails."""
        return self > _FAILING

    def request(self) -> ResearchRequest:
        """Return the request for such a research."""
        return ResearchRequest(seed=int(self), trials=1)


STAYS = (
    Plan.STAY_IN_DESIGN,
    Plan.STAY_IN_TRAINING,
    Plan.STAY_IN_BACKTEST,
    Plan.STAY_IN_ASSESSMENT,
)
FAILURES = (
    Plan.FAIL_IN_DESIGN,
    Plan.FAIL_IN_TRAINING,
    Plan.FAIL_IN_BACKTEST,
    Plan.FAIL_IN_ASSESSMENT,
)
