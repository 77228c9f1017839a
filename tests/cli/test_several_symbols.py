"""How several instruments are typed."""

from collections.abc import Mapping

import typer
from typer.testing import CliRunner

from cli.commands.research_options import takes_research


def read(*typed: str) -> dict[str, object]:
    """Return the request that a command makes of what was typed."""
    found: dict[str, object] = {}
    app = typer.Typer()

    @app.command()
    @takes_research
    def command(research: Mapping[str, object]) -> None:
        found.update(research)

    result = CliRunner().invoke(app, list(typed))
    assert result.exit_code == 0, result.output
    return found


def test_symbols_are_a_list_with_commas() -> None:
    typed = read("momentum", "--symbols", "AAPL, MSFT,XOM", "--start", "2005-01-01")

    assert typed == {
        "brief": "momentum",
        "symbols": ["AAPL", "MSFT", "XOM"],
        "start_date": "2005-01-01",
    }


def test_a_universe_is_named() -> None:
    assert read("--universe", "dax") == {"universe": "dax"}


def test_nothing_is_sent_that_was_not_typed() -> None:
    assert read() == {}
