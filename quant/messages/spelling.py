"""How a name is spelled: a pattern for programs, and words for people."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic_core import CoreSchema, core_schema


@dataclass(frozen=True)
class Spelling:
    """Annotates a text that follows a pattern. A refusal says the words, never the pattern.

    Attributes:
        pattern: Regular expression of the whole text.
        words: What the text must be, to follow `must be`.
    """

    pattern: str
    words: str

    def __get_pydantic_core_schema__(
        self, source: Any, handler: Callable[[Any], CoreSchema]
    ) -> CoreSchema:
        """Return the schema of a text with this pattern."""
        del source, handler
        return core_schema.custom_error_schema(
            core_schema.str_schema(pattern=self.pattern),
            custom_error_type="spelling",
            custom_error_message=f"must be {self.words}",
        )
