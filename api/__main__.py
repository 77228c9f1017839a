"""`python -m api`: serve the API."""

import logging
import sys

import uvicorn

from api.app import create_app
from api.keys import KeyRing
from api.security import require_safe
from errors import StartupError
from settings import load_settings
from workflows.telemetry import set_up_logging

_SECONDS_TO_FINISH_REQUESTS = 3

if __name__ == "__main__":
    try:
        settings = load_settings()
        require_safe(settings)
        if settings.api_keys is not None:
            KeyRing(settings.api_keys).all()
    except StartupError as error:
        sys.exit(error.message)
    set_up_logging(settings, logging.WARNING)
    uvicorn.run(
        create_app(settings),
        host=settings.api_host,
        port=settings.api_port,
        log_level="warning",
        # A client that follows an operation would otherwise keep the process alive until its end.
        timeout_graceful_shutdown=_SECONDS_TO_FINISH_REQUESTS,
    )
