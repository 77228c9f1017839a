"""`python -m api`: serve the API."""
# ruff: noqa: E402 - what comes first must come before the libraries are loaded

import gc

# What is loaded is no garbage. To look for it takes a fifth of the time. The server enables it.
gc.disable()

import contextlib
import logging
import sys

from api.app import create_app
from api.auth.exposure import check_exposure
from api.auth.keys import KeyRing
from api.middleware.durations import ensure_metrics_address
from api.server import Server
from errors import StartupError
from settings import load_settings
from temporal import telemetry
from temporal.connection import load_configuration

_NOT_STARTED = 3

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
    server = Server(create_app(settings, runtime=runtime), settings)
    # As with uvicorn.run, an interrupt is the normal end.
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(_NOT_STARTED)
