"""How the watch of a universe looks in a terminal."""

import io

from rich.console import Console

from api.examples.watches import EXAMPLES
from api.watches.schemas import WatchResponse
from cli.render.watches import print_watch, print_watches
from workflows.interface.contract import OperationStatus


def test_instruments_are_named_and_those_that_are_awaited() -> None:
    console = Console(width=100, file=io.StringIO(), record=True)
    [one] = [each.data for each in EXAMPLES if isinstance(each, WatchResponse)]
    of_two = {"symbol": "ADS,DAX", "symbols": ("ADS", "DAX"), "awaits": ("ADS",)}
    several = one.model_copy(update=of_two)

    print_watches(console, [one, several])
    assert "ADS,DAX 1d" in console.export_text()
    print_watch(console, several)
    text = console.export_text()
    assert "2: ADS, DAX" in text
    assert "Waits for bars of" in text
    ended = several.model_copy(update={"status": OperationStatus.COMPLETED})
    for other in (one, ended):
        print_watch(console, other)
        assert "Waits for" not in console.export_text()
