"""The services of the API, built once for each application."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from temporalio.client import Client

from api.agent.budget import DailyBudget
from api.agent.overview import Overview
from api.agent.researches import ResearchStarter
from api.agent.workers import WorkerList
from api.artifacts.aging import AgingArtifacts
from api.artifacts.deleter import ArtifactDeleter
from api.auth.keys import KeyRing
from api.campaigns.campaigns import Campaigns
from api.checkpoints.reader import Checkpoints
from api.comparison.comparer import Comparer
from api.evidence.reader import EvidenceReader
from api.heavy_work import HeavyWork
from api.listing.board import Board
from api.listing.operations import OperationList
from api.listing.pace import Pace
from api.operations.batch_cancel import BatchCanceller
from api.operations.cancel import Canceller
from api.operations.events import Feeds
from api.operations.recovery import Recovery
from api.operations.reproduce import Reproducer
from api.operations.resolver import Resolver
from api.operations.results import ResultReader
from api.operations.starter import Starter
from api.operations.state.presenter import Presenter
from api.schedules.schedules import Schedules
from api.steps.listing import ActivitySteps
from api.steps.readiness import Readiness
from api.steps.starter import StepStarter
from api.steps.strategies import StrategyList
from api.steps.trainings import Trainings
from api.watches.watches import Watches
from settings import Settings
from storage.artifacts import ArtifactStore
from storage.ledger.ledger import Ledger

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
    campaigns: Campaigns
    resolver: Resolver
    operations: OperationList
    activity_steps: ActivitySteps
    presenter: Presenter
    results: ResultReader
    evidence: EvidenceReader
    feeds: Feeds
    board: Board
    trainings: Trainings
    strategies: StrategyList
    steps: StepStarter
    checkpoints: Checkpoints
    artifact_deleter: ArtifactDeleter
    aging_artifacts: AgingArtifacts
    comparer: Comparer
    canceller: Canceller
    batch_canceller: BatchCanceller
    recovery: Recovery
    reproducer: Reproducer
    schedules: Schedules
    watches: Watches

    @classmethod
    def build(cls, settings: Settings, client: Client) -> "Services":
        """Build all services."""
        artifacts = ArtifactStore(settings.artifacts_url, seconds=_SECONDS_FOR_ARTIFACTS)
        ledger = Ledger(settings.ledger_url, settings.daily_budget)
        heavy_work = HeavyWork()
        resolver = Resolver(client)
        starter = Starter(client, settings.max_active_researches)
        budget = DailyBudget(ledger, settings.daily_budget)
        workers = WorkerList(client)
        checkpoints = Checkpoints(client, artifacts)
        operations = OperationList(client, resolver, checkpoints)
        results = ResultReader(resolver, artifacts, heavy_work)
        trainings = Trainings(client, artifacts)
        readiness = Readiness(niceness=settings.compute_niceness)
        researches = ResearchStarter(settings, budget, starter, ledger, readiness)
        deleter = ArtifactDeleter(resolver, artifacts, ledger)
        return cls(
            settings=settings,
            client=client,
            ledger=ledger,
            keys=KeyRing(settings.api_keys) if settings.api_keys else None,
            heavy_work=heavy_work,
            budget=budget,
            workers=workers,
            overview=Overview(operations, workers, budget, settings.max_active_researches),
            researches=researches,
            campaigns=Campaigns(
                researches,
                starter,
                budget,
                resolver,
                artifacts,
                ledger,
                settings.max_active_researches,
            ),
            resolver=resolver,
            operations=operations,
            activity_steps=ActivitySteps(operations, results),
            presenter=Presenter(artifacts, ledger),
            results=results,
            evidence=EvidenceReader(resolver, artifacts, ledger, heavy_work),
            feeds=Feeds(resolver),
            board=Board(operations, workers, Pace(ledger)),
            trainings=trainings,
            strategies=StrategyList(settings.strategy_dir, trainings),
            steps=StepStarter(settings, client, resolver, starter, trainings, artifacts, readiness),
            checkpoints=checkpoints,
            artifact_deleter=deleter,
            aging_artifacts=AgingArtifacts(artifacts, deleter),
            comparer=Comparer(results, heavy_work),
            canceller=Canceller(resolver),
            batch_canceller=BatchCanceller(client),
            recovery=Recovery(client, resolver, starter, artifacts, checkpoints),
            reproducer=Reproducer(ledger, starter),
            schedules=Schedules(client, starter),
            watches=Watches(client, ledger, artifacts),
        )

    def close(self) -> None:
        """Close what was opened."""
        self.heavy_work.close()
        self.ledger.close()


def get_services(request: Request) -> Services:
    """Return the services of the application that answers a request."""
    services: Services = request.app.state.services
    return services


async def _provide_services(request: Request) -> Services:
    return get_services(request)


ServicesDep = Annotated[Services, Depends(_provide_services)]
