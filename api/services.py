"""The services of the API, built once for each application."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from temporalio.client import Client

from api.agent.budget import DailyBudget
from api.agent.overview import Overview
from api.agent.researches import ResearchStarter
from api.agent.workers import WorkerList
from api.auth.keys import KeyRing
from api.checkpoints.reader import Checkpoints
from api.heavy_work import HeavyWork
from api.listing.operations import OperationList
from api.operations.batch_cancel import BatchCanceller
from api.operations.cancel import Canceller
from api.operations.events import Feeds
from api.operations.presenter import Presenter
from api.operations.recovery import Recovery
from api.operations.reproduce import Reproducer
from api.operations.resolver import Resolver
from api.operations.results import ResultReader
from api.operations.starter import Starter
from api.schedules.schedules import Schedules
from api.steps.listing import ActivitySteps
from api.steps.starter import StepStarter
from api.steps.strategies import StrategyList
from api.steps.trainings import Trainings
from settings import Settings
from storage.artifacts import ArtifactStore
from storage.ledger import Ledger

# A person waits for the answer. A worker has more time.
_SECONDS_FOR_ARTIFACTS = 10.0


@dataclass(frozen=True)
class Services:
    """Everything that the routes work with."""

    settings: Settings
    client: Client
    ledger: Ledger
    keys: KeyRing | None
    heavy_work: HeavyWork
    budget: DailyBudget
    workers: WorkerList
    overview: Overview
    researches: ResearchStarter
    resolver: Resolver
    operations: OperationList
    activity_steps: ActivitySteps
    presenter: Presenter
    results: ResultReader
    feeds: Feeds
    trainings: Trainings
    strategies: StrategyList
    steps: StepStarter
    checkpoints: Checkpoints
    canceller: Canceller
    batch_canceller: BatchCanceller
    recovery: Recovery
    reproducer: Reproducer
    schedules: Schedules

    @classmethod
    def build(cls, settings: Settings, client: Client) -> "Services":
        """Build all services."""
        artifacts = ArtifactStore(settings.artifacts_url, seconds=_SECONDS_FOR_ARTIFACTS)
        ledger = Ledger(settings.ledger_url, settings.daily_budget)
        resolver = Resolver(client)
        starter = Starter(client, settings.max_active_researches)
        budget = DailyBudget(ledger, settings.daily_budget)
        workers = WorkerList(client)
        operations = OperationList(client, resolver)
        results = ResultReader(resolver, artifacts)
        trainings = Trainings(client)
        checkpoints = Checkpoints(client, artifacts)
        return cls(
            settings=settings,
            client=client,
            ledger=ledger,
            keys=KeyRing(settings.api_keys) if settings.api_keys else None,
            heavy_work=HeavyWork(),
            budget=budget,
            workers=workers,
            overview=Overview(operations, workers, budget, settings.max_active_researches),
            researches=ResearchStarter(settings, budget, starter),
            resolver=resolver,
            operations=operations,
            activity_steps=ActivitySteps(operations, results),
            presenter=Presenter(artifacts, ledger),
            results=results,
            feeds=Feeds(resolver),
            trainings=trainings,
            strategies=StrategyList(settings.strategy_dir, trainings),
            steps=StepStarter(settings, client, resolver, starter, trainings),
            checkpoints=checkpoints,
            canceller=Canceller(resolver),
            batch_canceller=BatchCanceller(client),
            recovery=Recovery(client, resolver, starter, artifacts, checkpoints),
            reproducer=Reproducer(ledger, starter),
            schedules=Schedules(client, starter),
        )

    def close(self) -> None:
        """Close what was opened."""
        self.heavy_work.close()
        self.ledger.close()


def _get_services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(_get_services)]
