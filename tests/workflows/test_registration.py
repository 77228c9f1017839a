"""What a worker serves is all that is defined."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from temporalio import activity, workflow

import activities
import workflows
from activities.computing.compute import Compute
from activities.research import ResearchActivities
from settings import Settings
from storage.ledger.ledger import Ledger
from temporal.registrations import Registration, make_registrations
from workflows.interface.contract import WORKFLOW_NAME
from workflows.policies import COMPUTE_QUEUE, RECORD_QUEUE, WORKFLOW_QUEUES


def modules(package: ModuleType) -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(found.name)


def defined_workflows() -> set[str]:
    return {
        definition.name
        for module in modules(workflows)
        for _, cls in inspect.getmembers(module, inspect.isclass)
        if (definition := workflow._Definition.from_class(cls)) and definition.name
    }


def defined_activities() -> set[str]:
    functions: set[Callable[..., Any]] = set()
    for module in modules(activities):
        functions.update(function for _, function in inspect.getmembers(module, callable))
        for _, cls in inspect.getmembers(module, inspect.isclass):
            functions.update(function for _, function in inspect.getmembers(cls, callable))
    return {
        definition.name
        for function in functions
        if (definition := activity._Definition.from_callable(function)) and definition.name
    }


def served(tmp_path: Path) -> dict[str, Registration]:
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    given = ResearchActivities(
        compute=Compute(8),
        ledger=ledger,
        settings=Settings(home=tmp_path),
    )
    return make_registrations(given)


def test_every_workflow_is_served(tmp_path: Path) -> None:
    names = {
        workflow._Definition.must_from_class(cls).name
        for registration in served(tmp_path).values()
        for cls in registration.workflows
    }
    others = {"Claim", "Admission", "Watch", "Notification"}
    assert names == defined_workflows() == {*WORKFLOW_NAME.values(), *others}


def test_every_activity_is_served(tmp_path: Path) -> None:
    names = {
        activity._Definition.must_from_callable(function).name
        for registration in served(tmp_path).values()
        for function in registration.activities
    }
    assert names == defined_activities()
    assert len(names) == 18


def test_every_task_queue_is_served(tmp_path: Path) -> None:
    assert served(tmp_path).keys() == {*WORKFLOW_QUEUES, COMPUTE_QUEUE, RECORD_QUEUE}
