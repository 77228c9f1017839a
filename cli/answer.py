"""The answer of a command: JSON for programs, a model for what people read."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from errors import KtrdrError
from quant.problems import list_problems

T = TypeVar("T")


class UnreadableAnswer(KtrdrError, reason="unreadable_answer"):
    """The API answers in another form than this command knows."""


class Answer(Generic[T]):
    """The answer of a command.

    The JSON stays as it was received, because a newer API may send fields that this command does
    not know. The model is made when it is first used, so `--json` works with any version.

    Args:
        json: The answer as JSON.
        read: Makes the model of it.
        beside: What programs find beside the answer, such as the count of a page.
    """

    def __init__(
        self, json: Any, read: Callable[[Any], T], beside: Mapping[str, Any] | None = None
    ) -> None:
        self.json = json
        self._read = read
        self._beside = beside or {}

    @classmethod
    def received(cls, json: Any, kind: type[T]) -> "Answer[T]":
        """Return an answer of the API; unknown fields do not reach the model."""
        return cls(json, lambda received: read_model(received, kind))

    @classmethod
    def page(cls, json: Any, kind: type[T]) -> "Answer[T]":
        """Return a page of the API. Programs get its rows, and its counts beside them.

        Raises:
            UnreadableAnswer: It has no rows.
        """
        if not isinstance(json, dict) or not isinstance(json.get("data"), list):
            raise UnreadableAnswer("The API sent an answer that this command cannot read.")
        beside = {name: each for name, each in json.items() if name not in ("success", "data")}
        return cls(json["data"], lambda _: read_model(json, kind), beside)

    @classmethod
    def own(cls, model: T) -> "Answer[T]":
        """Return an answer that this command has composed."""
        return cls(to_jsonable_python(model), lambda _: model)

    @property
    def envelope(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {"success": True, "data": self.json, **self._beside}

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
