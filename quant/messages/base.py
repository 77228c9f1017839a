"""The base of all messages."""

from pydantic import BaseModel, ConfigDict


class FrozenModel(BaseModel):
    """Immutable. Unknown fields are refused, so that a typo is never ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
