"""The envelope of answers: `{"success": true, "data": …}`, and the count of a page."""

from typing import Generic, Literal, TypeVar

from pydantic import BaseModel

T = TypeVar("T")


class Data(BaseModel, Generic[T]):
    """One thing, or all things of a kind."""

    success: Literal[True] = True
    data: T


class Page(Data[list[T]], Generic[T]):
    """Some of the things that match a filter."""

    total_count: int
