"""What ends a command: Ctrl-C, `kill`, and a terminal that closes."""

import contextlib
import signal
from collections.abc import Iterator
from typing import Final, NoReturn

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def interrupted_by_signals() -> Iterator[None]:
    """Raise KeyboardInterrupt in this block for each of the signals. Needs the main thread.

    A shell switches Ctrl-C off for a command that it starts in the background; here it works.
    `nohup` lets a command outlive its terminal, which stays so.
    """
    before = {
        number: signal.getsignal(number)
        for number in _SIGNALS
        if number is not signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN
    }
    for number in before:
        signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(*_: object) -> NoReturn:
    """Stop as Ctrl-C does. Later signals are ignored: they would leave half a stack running."""
    for number in _SIGNALS:
        signal.signal(number, _ignore)
    raise KeyboardInterrupt


def _ignore(*_: object) -> None:
    """Do nothing. Child processes inherit SIG_IGN, but not this function."""
