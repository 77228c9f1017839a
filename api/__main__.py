"""`python -m api`: serve the API."""

import sys

import uvicorn

from api.app import create_app
from errors import StartupError
from settings import load_settings

_SECONDS_TO_FINISH_REQUESTS = 3

if __name__ == "__main__":
    try:
        settings = load_settings()
    except StartupError as error:
        sys.exit(error.message)
    uvicorn.run(
        create_app(settings),
        host=settings.api_host,
        port=settings.api_port,
        log_level="warning",
        # Whoever follows an operation would keep the process alive for as long as that runs.
        timeout_graceful_shutdown=_SECONDS_TO_FINISH_REQUESTS,
    )
