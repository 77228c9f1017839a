"""How the watch of a universe looks in a terminal."""

import io
from datetime import UTC, datetime

from rich.console import Console

from api.examples.watches import EXAMPLES
from api.watches.schemas import WatchResponse
from cli.render.watches import print_watch, print_watches
from workflows.interface.contract import OperationStatus


def test_instruments_are_named_and_those_that_are_awaited() -> None:
    console = Console(width=100, file=io.StringIO(), record=True)
    [one] = [each.data for each in EXAMPLES if isinstance(each, WatchResponse)]
    of_two = {
        "symbol": "ADS,DAX",
        "symbols": ("ADS", "DAX"),
        "awaits": ("ADS",),
        "awaits_since": datetime(2026, 11, 27, 8, 30, tzinfo=UTC),
        "left": ("DAX",),
    }
    several = one.model_copy(update=of_two)

    print_watches(console, [one, several])
    assert "ADS,DAX 1d" in console.export_text()
    print_watch(console, several)
    text = console.export_text()
    assert "2: ADS, DAX" in text
    assert "ADS, since 2026-11-27T08:30:00Z" in text
    assert "Have left" in text
    ended = several.model_copy(update={"status": OperationStatus.COMPLETED})
    for other in (one, ended):
        print_watch(console, other)
        text = console.export_text()
        assert "Waits for" not in text
        assert ("Have left" in text) == bool(other.left)
