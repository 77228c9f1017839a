"""Ports of loopback for processes that are told where to listen."""

import contextlib
import socket


def free_ports(count: int) -> list[int]:
    """Return so many ports of loopback, all different, on which nothing listens."""
    with contextlib.ExitStack() as stack:
        sockets = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)
        ]
        return [each.getsockname()[1] for each in sockets]
