"""How the verification of the ledger looks in a terminal."""

from rich.console import Console

from cli.render.terminal.prose import print_prose
from quant.wording import format_count
from storage.ledger.records import Verification


def print_verification(console: Console, found: Verification) -> None:
    """Print whether the chain is whole, and its head."""
    entries = format_count(found.entries, "entry", "entries")
    if found.intact:
        print_prose(console, f"The ledger is whole: {entries}.", style="green")
    else:
        print_prose(console, f"The ledger is NOT whole: {found.problem}.", style="red")
        print_prose(console, f"Before that it has {entries}.")
    if found.unchained:
        rows = format_count(found.unchained, "row")
        print_prose(console, f"{rows} of an earlier version will join with the next writes.")
    print_prose(console, f"Head: {found.head}")
