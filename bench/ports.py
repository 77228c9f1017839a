"""Free ports on loopback."""

import contextlib
import random
import socket
from pathlib import Path
from typing import Final

_EPHEMERAL: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST: Final = 10_000
_FEWEST: Final = 10_000


def find_free_ports(count: int) -> list[int]:
    """Return so many different ports on loopback on which nothing listens.

    They are below the range that the system uses for outgoing connections. Otherwise such a
    connection could take a port before the process that gets it listens.
    """
    lowest_ephemeral = int(_EPHEMERAL.read_text().split()[0])
    candidates = range(_LOWEST, max(lowest_ephemeral, _LOWEST + _FEWEST))
    # Not from a seed: several processes might have the same one.
    choose = random.SystemRandom().choice
    with contextlib.ExitStack() as stack:
        sockets: list[socket.socket] = []
        while len(sockets) < count:
            with contextlib.suppress(OSError):
                address = ("127.0.0.1", choose(candidates))
                sockets.append(stack.enter_context(socket.create_server(address)))
        return [each.getsockname()[1] for each in sockets]
