"""`python -m api`: serve the API."""

import logging
import sys

import uvicorn

from api.app import create_app
from api.auth.keys import KeyRing
from api.middleware.durations import with_metrics
from api.middleware.hosts import require_safe
from errors import StartupError
from settings import load_settings
from temporal import telemetry
from temporal.connection import configuration

_SECONDS_TO_FINISH_REQUESTS = 3

if __name__ == "__main__":
    try:
        settings = with_metrics(load_settings())
        require_safe(settings)
        if settings.api_keys is not None:
            KeyRing(settings.api_keys).all()
        configuration()
        runtime = telemetry.runtime(settings)
    except StartupError as error:
        sys.exit(error.message)
    telemetry.set_up_logging(settings, logging.WARNING)
    uvicorn.run(
        create_app(settings, runtime=runtime),
        host=settings.api_host,
        port=settings.api_port,
        # Its messages in our format, among ours.
        log_config=None,
        # A client that follows an operation would otherwise keep the process alive until its end.
        timeout_graceful_shutdown=_SECONDS_TO_FINISH_REQUESTS,
    )
