"""Whose work something is."""

from typing import Annotated

from pydantic import Field

from quant.messages.base import FrozenModel
from quant.messages.spelling import Spelling

Owner = Annotated[
    str,
    Spelling(
        r"^[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}$",
        "letters, digits, `_`, `.`, `@` and `-`, at most 64, with a letter or digit first",
    ),
]


class OwnedRequest(FrozenModel):
    """Whose work it is, and how urgent it is."""

    priority: int = Field(
        3, strict=True, ge=1, le=5, description="1 (first) to 5 (last), across owners"
    )
    owner: Owner = "anonymous"
