"""The answer of a command: JSON for programs, a model for what people read."""

from collections.abc import Callable
from functools import cached_property
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from errors import KtrdrError
from quant.problems import list_problems

T = TypeVar("T")


class UnreadableAnswer(KtrdrError):
    """The API answers in another form than this command knows."""

    reason = "unreadable_answer"


class Answer(Generic[T]):
    """The answer of a command.

    The JSON stays as it was received, because a newer API may send fields that this command does
    not know. The model is made when it is first used, so `--json` works with any version.

    Args:
        json: The answer as JSON.
        read: Makes the model of it.
    """

    def __init__(self, json: Any, read: Callable[[Any], T]) -> None:
        self.json = json
        self._read = read

    @classmethod
    def received(cls, json: Any, kind: type[T]) -> "Answer[T]":
        """Return an answer of the API; unknown fields do not reach the model."""
        return cls(json, lambda received: read_model(received, kind))

    @classmethod
    def own(cls, model: T) -> "Answer[T]":
        """Return an answer that this command has composed."""
        return cls(to_jsonable_python(model), lambda _: model)

    @cached_property
    def model(self) -> T:
        """The answer as a model.

        Raises:
            UnreadableAnswer: A field is missing or has an unknown value.
        """
        return self._read(self.json)


def read_model(json: Any, kind: type[T]) -> T:
    """Read JSON as a model, and ignore unknown fields.

    Raises:
        UnreadableAnswer: A field is missing or has an unknown value.
    """
    try:
        return TypeAdapter(kind).validate_python(json, extra="ignore")
    except ValidationError as error:
        place, problem = list_problems(error)[0]
        raise UnreadableAnswer(
            f"The API sent an answer that this command cannot read ({place}: {problem}). "
            "Do both have the same version?"
        ) from None
