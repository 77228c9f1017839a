"""Bodies of answers about keys."""

from pydantic import BaseModel, Field

from api.auth.scopes import Scope
from api.envelope import Data


class CallerInfo(BaseModel):
    """Who sends a request, and what the key allows."""

    keys: bool = Field(description="Whether this API has keys; without them everybody may do all")
    name: str | None = Field(None, description="Name of the key")
    owner: str | None = Field(None, description="Owner of what the caller starts")
    scopes: list[Scope]


class CallerResponse(Data[CallerInfo]):
    """The caller."""
