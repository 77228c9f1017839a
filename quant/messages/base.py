"""The base of all messages."""

from pydantic import BaseModel, ConfigDict


class FrozenModel(BaseModel):
    """Immutable, and strict about unknown fields, so that a typo is never ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
