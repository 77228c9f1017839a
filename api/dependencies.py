"""What routes ask for: built once per application, handed out through `Annotated` dependencies."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from temporalio.client import Client

from api.researches import Researches
from api.resolver import Resolver
from settings import Settings


@dataclass(frozen=True)
class Services:
    """Everything that the routes work with."""

    settings: Settings
    client: Client
    resolver: Resolver
    researches: Researches

    @classmethod
    def build(cls, settings: Settings, client: Client) -> "Services":
        """Wire the services."""
        resolver = Resolver(client)
        return cls(settings, client, resolver, Researches(client, resolver))


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(_services)]
