"""What routes depend on: built once per application, injected as `Annotated` dependencies."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query, Request, Response
from temporalio.client import Client

from api.auth.keys import KeyRing
from api.operations.cancel import Canceller
from api.operations.events import Feed, Followers
from api.operations.reproduce import Reproducer
from api.operations.resolver import Resolver
from api.operations.results import Reader
from api.operations.resume import Continuer
from api.operations.standalone import StepStarter
from api.operations.start import Starter
from api.schedules.schedules import Schedules
from settings import Settings
from storage.artifacts import ArtifactStore
from storage.ledger import Ledger

API_PREFIX = "/api/v1"

# Somebody waits for the answer; a worker is more patient.
_SECONDS_FOR_ARTIFACTS = 10.0


@dataclass(frozen=True)
class Services:
    """Everything that the routes work with."""

    settings: Settings
    client: Client
    ledger: Ledger
    resolver: Resolver
    reader: Reader
    starter: Starter
    steps: StepStarter
    schedules: Schedules
    followers: Followers
    canceller: Canceller
    continuer: Continuer
    reproducer: Reproducer
    keys: KeyRing | None

    @classmethod
    def build(cls, settings: Settings, client: Client) -> "Services":
        """Wire the services."""
        resolver = Resolver(client)
        artifacts = ArtifactStore(settings.artifacts_url, seconds=_SECONDS_FOR_ARTIFACTS)
        starter = Starter(client, settings.max_active_researches)
        ledger = Ledger(settings.ledger_url, settings.daily_budget)
        return cls(
            settings=settings,
            client=client,
            ledger=ledger,
            resolver=resolver,
            reader=Reader(resolver, artifacts),
            starter=starter,
            steps=StepStarter(settings, client, resolver, starter),
            schedules=Schedules(client, starter),
            followers=Followers(resolver),
            canceller=Canceller(resolver),
            continuer=Continuer(client, resolver, starter, artifacts),
            reproducer=Reproducer(ledger, starter),
            keys=KeyRing(settings.api_keys) if settings.api_keys else None,
        )


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(_services)]

Wait = Annotated[float, Query(ge=0.0, le=30.0, description="Seconds to wait for the work to stop")]


async def _feed(services: ServicesDep, operation_id: str) -> AsyncIterator[Feed]:
    # Here and not in the route, because a stream that has begun can no longer answer 404.
    async with services.followers.follow(operation_id) as feed:
        await feed.ready()
        yield feed


FeedDep = Annotated[Feed, Depends(_feed)]


def _locate(request: Request, response: Response) -> Callable[[str], None]:
    def locate(operation_id: str) -> None:
        url = request.url_for("get_operation", operation_id=operation_id)
        response.headers["Location"] = url.path

    return locate


# Sets the header `Location` to the URL of the started operation.
LocateDep = Annotated[Callable[[str], None], Depends(_locate)]
