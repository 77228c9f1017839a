"""Addresses that are worth printing: a link that does not work is worse than none."""

import contextlib
from collections.abc import Mapping

import httpx2

_LONGEST_ANSWER_SECONDS = 2.0


def keep_working(addresses: Mapping[str, str]) -> dict[str, str]:
    """Return the addresses without the web pages that do not answer."""
    with httpx2.Client(timeout=_LONGEST_ANSWER_SECONDS) as client:
        return {
            name: address
            for name, address in addresses.items()
            if not address.startswith("http") or _answers(client, address)
        }


def _answers(client: httpx2.Client, address: str) -> bool:
    with contextlib.suppress(httpx2.HTTPError):
        return not client.get(address).is_server_error
    return False
