"""Ports of loopback for processes that are told where to listen."""

import contextlib
import random
import socket
from pathlib import Path
from typing import Final

_EPHEMERAL: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST: Final = 10_000
_FEWEST: Final = 10_000


def free_ports(count: int) -> list[int]:
    """Return so many ports of loopback, all different, on which nothing listens.

    They are below those that the system gives to outgoing connections, which could take one before
    the process that is told of it listens.
    """
    lowest_ephemeral = int(_EPHEMERAL.read_text().split()[0])
    candidates = range(_LOWEST, max(lowest_ephemeral, _LOWEST + _FEWEST))
    # Not by a seed, which several processes might have.
    choose = random.SystemRandom().choice
    with contextlib.ExitStack() as stack:
        sockets: list[socket.socket] = []
        while len(sockets) < count:
            with contextlib.suppress(OSError):
                address = ("127.0.0.1", choose(candidates))
                sockets.append(stack.enter_context(socket.create_server(address)))
        return [each.getsockname()[1] for each in sockets]
