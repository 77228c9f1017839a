"""The commands of docs/operations.md, by the heading under which they stand."""

import re
from typing import Final

from tests.support.helpers import ROOT

_TEXT: Final = (ROOT / "docs/operations.md").read_text()


def sections() -> dict[str, list[str]]:
    """Return the blocks of commands under each heading, in the order of the text."""
    parts = re.split(r"^#+ (.+)\n", _TEXT, flags=re.MULTILINE)
    return {
        heading: re.findall(r"^```\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        for heading, text in zip(parts[1::2], parts[2::2], strict=True)
    }


def documented(heading: str, *, block: int = 0) -> str:
    """Return one block of commands under a heading."""
    return sections()[heading][block]
