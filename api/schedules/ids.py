"""Ids of schedules. With API keys, each owner has a namespace: `ada:nightly`.

So no schedule that a caller may not see takes a name away.
"""

from typing import Annotated, Final

from quant.messages.spelling import Spelling

_SEPARATOR: Final = ":"

ScheduleId = Annotated[
    str,
    Spelling(
        r"^(?:[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}:)?[A-Za-z0-9][A-Za-z0-9_-]{0,63}$",
        "letters, digits, `_` and `-`, at most 64, with a letter or digit first",
    ),
]


def get_owner(schedule_id: str) -> str | None:
    """Return the owner in whose namespace this id is. None if it has no namespace."""
    owner, separator, _ = schedule_id.rpartition(_SEPARATOR)
    return owner if separator else None


def qualify(name: str, owner: str) -> str:
    """Return the full id of a schedule.

    Args:
        name: The full id, or the name in the owner's namespace.
        owner: The owner of the schedule.
    """
    return name if get_owner(name) else f"{owner}{_SEPARATOR}{name}"
