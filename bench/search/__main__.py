"""`python -m bench.search [--only PART] [--before CHECKOUT]`: measure searches in slices."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from bench.figures import Figure, publish
from bench.search import cancels, kills, scale, small, speed


def _make_parts(before: Path | None) -> dict[str, Callable[[], Awaitable[list[Figure]]]]:
    return {
        "speed": speed.measure,
        "small": lambda: small.measure(before),
        "kills": kills.measure,
        "cancels": cancels.measure,
        "scale": scale.measure,
    }


async def main(only: list[str], before: Path | None) -> None:
    """Measure and publish."""
    figures: list[Figure] = []
    for name, part in _make_parts(before).items():
        if not only or name in only:
            print(f"{name} ...", flush=True)
            figures += await part()
    publish("-".join(["search", *only]), figures)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.search", description=__doc__)
    parser.add_argument("--only", action="append", default=[], choices=list(_make_parts(None)))
    parser.add_argument(
        "--before", type=Path, help="an earlier checkout, to compare small searches with"
    )
    given = parser.parse_args()
    asyncio.run(main(given.only, given.before))
