"""The documentation, read by tests."""

import re

from tests.support.helpers import ROOT


def rows_of(document: str, heading: str) -> list[list[str]]:
    """Return the first table under a heading of a page in `docs/`, without its head."""
    section = (ROOT / "docs" / document).read_text().partition(f"\n## {heading}\n")[2]
    table = re.search(r"(?:^\|.*\n)+", section, re.MULTILINE)
    assert table is not None
    return [line.strip("| ").split(" | ") for line in table[0].splitlines()[2:]]
