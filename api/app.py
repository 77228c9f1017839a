"""The application: wiring, and nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from temporalio.client import Client
from temporalio.common import MetricMeter
from temporalio.runtime import Runtime

from api.errors import install_error_handlers
from api.middleware.body_limit import BodyLimit
from api.middleware.concurrency import ConcurrencyLimit
from api.middleware.cross_site import CrossSiteCheck
from api.middleware.durations import RequestDurations, make_duration_histogram
from api.middleware.encoded_slashes import EncodedSlashes
from api.middleware.hosts import HostCheck, parse_names
from api.middleware.prefix import OptionalPrefix
from api.middleware.security_headers import SecurityHeaders
from api.middleware.trailing_slash import TrailingSlash
from api.middleware.unexpected_errors import UnexpectedErrors
from api.openapi import DocumentedApp
from api.page import routes as page
from api.reference import routes as reference
from api.routes import LISTS, router
from api.services import Services
from settings import Settings, load_settings
from temporal import tracing
from temporal.connection import connect


def create_app(
    settings: Settings | None = None,
    client: Client | None = None,
    runtime: Runtime | None = None,
) -> FastAPI:
    """Build the application.

    Args:
        settings: Read from the environment if None.
        client: If None, a client that connects on its first call. So the API starts without
            Temporal.
        runtime: The SDK's runtime, which serves the metrics. None measures nothing.
    """
    loaded = settings or load_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        connected = client or await connect(
            lazy=True,
            runtime=runtime,
            payload_keys=loaded.payload_keys,
            plugins=tracing.make_plugins("ktrdr-api"),
        )
        app.state.metrics_address = loaded.metrics_address if runtime else None
        app.state.durations = make_duration_histogram(
            runtime.metric_meter if runtime else MetricMeter.noop
        )
        app.state.services = Services.build(loaded, connected)
        yield
        app.state.services.close()

    app = DocumentedApp(
        title="ktrdr",
        version=version("ktrdr"),
        description="Durable, visible and individually cancellable strategy research.",
        lifespan=lifespan,
        # FastAPI's own pages load their scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        # Paths in the schema have the prefix.
        root_path_in_servers=False,
        # `DELETE /operations/`, an empty id, must not become `DELETE /operations`.
        redirect_slashes=False,
    )
    app.router.routes.extend(router.routes)
    app.include_router(page.router)
    app.include_router(reference.router)
    install_error_handlers(app)
    # The last one added is the outermost.
    app.add_middleware(UnexpectedErrors)
    app.add_middleware(TrailingSlash, lists=LISTS)
    app.add_middleware(OptionalPrefix)
    app.add_middleware(EncodedSlashes)
    # A body that arrives slowly must not take a place.
    app.add_middleware(ConcurrencyLimit)
    app.add_middleware(BodyLimit)
    origins = parse_names(loaded.api_cors_origins)
    app.add_middleware(CrossSiteCheck, origins=origins)
    if origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=origins, allow_methods=["*"], allow_headers=["*"]
        )
    app.add_middleware(HostCheck, settings=loaded)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(RequestDurations)
    return app
