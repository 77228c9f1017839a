"""The files that the page consists of. They are read once, and a browser may keep them."""

import hashlib
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

_FOLDER: Final = Path(__file__).parent / "static"

_MEDIA_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        ".css": "text/css; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".svg": "image/svg+xml",
    }
)

_IMPORT: Final = re.compile(r'^import .*?from "(\.[^"]+)";$', re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Asset:
    """A file.

    Attributes:
        content: What is in it.
        media_type: Of the content.
        etag: Changes with the content, and with nothing else.
    """

    content: bytes
    media_type: str
    etag: str


@cache
def load_assets() -> Mapping[str, Asset]:
    """Return all files by their path below `static/`."""
    return MappingProxyType(
        {
            path.relative_to(_FOLDER).as_posix(): _load(path)
            for path in sorted(_FOLDER.rglob("*"))
            if path.suffix in _MEDIA_TYPES
        }
    )


@cache
def list_modules(screen: str) -> tuple[str, ...]:
    """Return the scripts of a screen, its `main.js` first. A browser may load all at once."""
    found = [f"{screen}/main.js"]
    for path in found:
        script = load_assets()[path].content.decode()
        imported = (
            posixpath.normpath(f"{posixpath.dirname(path)}/{each}")
            for each in _IMPORT.findall(script)
        )
        found += [each for each in dict.fromkeys(imported) if each not in found]
    return tuple(found)


def _load(path: Path) -> Asset:
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:32]
    return Asset(content, _MEDIA_TYPES[path.suffix], f'"{digest}"')
