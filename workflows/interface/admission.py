"""What the limit on active researches is asked, and what it answers."""

from pydantic import Field

from quant.messages.base import FrozenModel


class AdmissionRequest(FrozenModel):
    """A request to admit a research."""

    operation_id: str
    limit: int = Field(ge=1, description="Maximum number of active researches, this one included")


class AdmissionAnswer(FrozenModel):
    """Whether it is admitted, and how many other researches are active."""

    admitted: bool
    active_count: int
