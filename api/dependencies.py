"""What routes ask for: built once per application, handed out through `Annotated` dependencies."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query, Request
from temporalio.client import Client

from api.cancelling import Canceller
from api.resolver import Resolver
from settings import Settings


@dataclass(frozen=True)
class Services:
    """Everything that the routes work with."""

    settings: Settings
    client: Client
    resolver: Resolver
    canceller: Canceller

    @classmethod
    def build(cls, settings: Settings, client: Client) -> "Services":
        """Wire the services."""
        resolver = Resolver(client)
        return cls(settings, client, resolver, Canceller(resolver))


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(_services)]

Wait = Annotated[
    float, Query(ge=0.0, le=30.0, description="Seconds to wait for the work to have stopped")
]
