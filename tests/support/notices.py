"""Somebody who takes notices, as a webhook does."""

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


@contextlib.contextmanager
def taking_notices(*, refusals: int = 0) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield host and port, and the notices that have come there.

    Args:
        refusals: How many are refused at first.
    """
    told: list[dict[str, Any]] = []
    left = refusals

    class Webhook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            nonlocal left
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if left:
                left -= 1
                self.send_error(503)
                return
            told.append(json.loads(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Webhook) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}", told
        finally:
            server.shutdown()
            thread.join(30)
