"""Says what somebody may have meant."""

import difflib
import typing
from collections.abc import Iterable, Sequence
from types import UnionType
from typing import Any, Final

from pydantic import BaseModel

_LONGEST_WORD: Final = 64


def suggest(word: object, known: Iterable[str]) -> str:
    """Return a question to put behind a refusal: `; did you mean rsi?`, or an empty text.

    Args:
        word: What was given.
        known: What could have been given.
    """
    if not isinstance(word, str) or len(word) > _LONGEST_WORD:
        return ""
    by_letters = {each.lower(): each for each in known}
    close = difflib.get_close_matches(word.lower(), by_letters, n=1)
    return f"; did you mean {by_letters[close[0]]}?" if close else ""


def list_fields(model: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    """Return the names of the fields at a place within a model.

    Args:
        model: The model of the whole.
        path: Names of fields and numbers of entries that lead there.
    """
    place: Any = model
    for part in path:
        if isinstance(part, int):
            place = next(iter(typing.get_args(place)), None)
        else:
            place = _get_model(place).model_fields[part].annotation
    return list(_get_model(place).model_fields)


def _get_model(annotation: Any) -> type[BaseModel]:
    """Return the model of an annotation; an optional one is `Model | None`."""
    if isinstance(annotation, UnionType):
        annotation = next(each for each in annotation.__args__ if each is not type(None))
    is_model = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return annotation if is_model else BaseModel
