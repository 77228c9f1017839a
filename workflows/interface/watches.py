"""Names of watches: one workflow for each research whose strategy is watched."""

from typing import Final

WATCH_WORKFLOW: Final = "Watch"
# The key of the memo with the `WatchState`, which Temporal shows in lists and without a worker.
WATCH: Final = "watch"
LOOK_NOW: Final = "look_now"

_PREFIX: Final = "watch_"


def make_watch_id(research_id: str) -> str:
    """Return the id of the workflow that watches the strategy of a research."""
    return f"{_PREFIX}{research_id}"


def parse_watch_id(watch_id: str) -> str | None:
    """Return the research whose strategy is watched under an id, or None if it is no watch's."""
    return watch_id.removeprefix(_PREFIX) if watch_id.startswith(_PREFIX) else None
