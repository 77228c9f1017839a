"""`python -m api`: serve the API."""

import contextlib
import logging
import sys
from types import FrameType

import uvicorn

from api.app import create_app
from api.auth.exposure import check_exposure
from api.auth.keys import KeyRing
from api.middleware.durations import ensure_metrics_address
from errors import StartupError
from settings import load_settings
from temporal import telemetry
from temporal.connection import load_configuration
from temporal.shutdown import Deadline

_SECONDS_TO_FINISH_REQUESTS = 3

# A request may wait for a silent database, in a thread that nothing interrupts.
_STOP_SECONDS = 8.0

_NOT_STARTED = 3


class _Server(uvicorn.Server):
    """Stops within a time limit, whatever its requests wait for."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._deadline = Deadline(_STOP_SECONDS)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop, and start the time limit."""
        self._deadline.begin()
        super().handle_exit(sig, frame)


if __name__ == "__main__":
    try:
        settings = ensure_metrics_address(load_settings())
        check_exposure(settings)
        if settings.api_keys is not None:
            KeyRing(settings.api_keys).list_all()
        load_configuration()
        runtime = telemetry.make_runtime(settings)
    except StartupError as error:
        sys.exit(error.message)
    telemetry.set_up_logging(settings, logging.WARNING)
    server = _Server(
        uvicorn.Config(
            create_app(settings, runtime=runtime),
            host=settings.api_host,
            port=settings.api_port,
            # Uvicorn's messages go to our log, in its format.
            log_config=None,
            # Otherwise a client that follows an operation keeps the process alive until the
            # operation ends.
            timeout_graceful_shutdown=_SECONDS_TO_FINISH_REQUESTS,
        )
    )
    # As with uvicorn.run, an interrupt is the normal end.
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(_NOT_STARTED)
