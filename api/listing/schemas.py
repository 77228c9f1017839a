"""Bodies of the feed of everything that runs."""

from pydantic import BaseModel, Field

from api.operations.schemas import OperationSummary


class BoardHead(BaseModel):
    """How much runs and waits, of all owners together. A research counts once, with its steps."""

    active: int = Field(description="Researches, trainings and backtests that have not ended")
    computing: int
    waiting: int = Field(description="For a slot")
    retrying: int = Field(description="They wait for their next attempt after an error")
    paused: int
    stopping: int = Field(description="They were cancelled, and have not stopped yet")
    slots: int = Field(description="How many may compute at once")
    seconds_per_research: float | None = Field(
        description="How long a research computes: the median of the last ones that were seen to "
        "compute until now, or else of the shortest quarter of the record, whose times include "
        "waiting"
    )


class BoardEvent(BaseModel):
    """What has changed."""

    complete: bool = Field(
        description="Whether these are all active operations that match; otherwise only those that "
        "have changed"
    )
    head: BoardHead
    rows: list[OperationSummary] = Field(
        description="Newest first. One that has ended is shown once more, with its end"
    )
