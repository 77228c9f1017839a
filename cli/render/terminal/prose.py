"""Sentences in a terminal."""

from rich.console import Console


def print_prose(console: Console, text: str, style: str | None = None) -> None:
    """Print sentences: wrapped between words, never within one, so that IDs can be copied."""
    console.print(text, style=style, markup=False, overflow="ignore", crop=False)
