"""Tells people what has happened, by webhook, mail or chat: whatever Apprise knows."""

import asyncio
from collections.abc import AsyncIterator, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from errors import StartupError
from quant.messages.watch import Notice
from settings import Settings
from storage.ledger.records import Experiment

if TYPE_CHECKING:
    from apprise import Apprise

_TOLD: Final = ("completed", "failed")
# Whoever does not answer holds a thread until Apprise gives up.
_MOST_AT_ONCE: Final = 8


class Notifier:
    """Sends notices to the addresses of the settings; without any it sends nothing.

    Raises:
        StartupError: Apprise does not know such an address. It is not shown: it may hold a secret.
    """

    def __init__(self, settings: Settings) -> None:
        addresses = settings.notify_url.get_secret_value().split() if settings.notify_url else []
        self._receivers = _load(addresses) if addresses else []
        # The threads of others do not wait for an address that does not answer.
        self._threads = ThreadPoolExecutor(_MOST_AT_ONCE, thread_name_prefix="notice")

    @property
    def addresses(self) -> range:
        """The addresses, as their places in the settings, from 0."""
        return range(len(self._receivers))

    async def send(self, notice: Notice, told: Collection[int] = ()) -> AsyncIterator[int]:
        """Send a notice to all addresses at once, and yield each that has taken it.

        Args:
            notice: What to tell.
            told: Addresses that are left out.
        """
        loop = asyncio.get_running_loop()

        async def tell(address: int) -> int | None:
            sending = self._receivers[address].notify
            taken = await loop.run_in_executor(
                self._threads, lambda: sending(title=notice.title, body=notice.body)
            )
            return address if taken else None

        left = [tell(address) for address in self.addresses if address not in told]
        for answer in asyncio.as_completed(left):
            address = await answer
            if address is not None:
                yield address

    def describe_end(self, experiment: Experiment) -> Notice | None:
        """Return what to tell of a research that has completed or failed; None to tell nothing."""
        if not self._receivers or experiment.status not in _TOLD:
            return None
        return _describe(experiment)


def _load(addresses: list[str]) -> list["Apprise"]:
    # It takes a moment to load, and few want to be told.
    from apprise import Apprise  # noqa: PLC0415

    loaded = []
    for number, address in enumerate(addresses, start=1):
        receiver = Apprise()
        if not receiver.add(address):
            raise StartupError(
                f"KTRDR_NOTIFY_URL: Apprise knows no address like number {number}. Examples are "
                "json://host/path, mailto://user:password@host and slack://token."
            )
        loaded.append(receiver)
    return loaded


def _describe(experiment: Experiment) -> Notice:
    bars = f"{experiment.symbol} {experiment.timeframe}"
    if experiment.status == "failed":
        what, why = "failed", experiment.error or "No reason is known."
    else:
        what, why = experiment.verdict or "completed", (experiment.metrics or {}).get("summary", "")
    return Notice(
        title=f"Research on {bars}: {what}", body=f"{why}\n\n{experiment.operation_id}".strip()
    )
