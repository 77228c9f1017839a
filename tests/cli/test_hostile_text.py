"""Text from others, in the terminal of whoever reads it."""

import io
import logging

import pytest
from rich.table import Table
from rich.text import Text

from cli.render.terminal.console import SafeConsole
from temporal.telemetry import TextFormatter

# Clears the screen, sets the title, goes to the beginning of the line, reverses the reading order.
EVIL = "\x1b[2J\x1b]0;owned\x07\rgood\x9b31m\u202e\x08"


@pytest.mark.parametrize("terminal", [False, True])
def test_no_text_controls_the_terminal(terminal: bool) -> None:
    output = io.StringIO()
    console = SafeConsole(file=output, force_terminal=terminal, width=60, highlight=False)
    table = Table("Note", box=None)
    table.add_row(Text(EVIL))
    console.print(table)
    console.print(f"Error: {EVIL}", style="red", markup=False, soft_wrap=True)
    console.print("a\tb", "c\N{NO-BREAK SPACE}d", markup=False)
    shown = output.getvalue()
    assert shown.count("owned") == 2
    assert ("\x1b[31m" in shown) is terminal
    assert not set("\x07\x08\r\x9b\u202e") & set(shown)
    assert "\x1b[2J" not in shown
    assert "\x1b]" not in shown
    assert "c\N{NO-BREAK SPACE}d" in shown


def test_no_text_forges_a_line_of_the_log() -> None:
    evil = f"{EVIL}\n2026-01-01 00:00:00,000 INFO ktrdr.audit all is well"
    record = logging.LogRecord("api", logging.ERROR, "", 0, "%s failed", (evil,), None)
    first, second = TextFormatter().format(record).splitlines()
    assert "\x1b" not in first
    assert second.startswith("  ")
