"""`docker-compose.yml` as data."""

from pathlib import Path
from typing import Any, Final

import yaml

from tests.support.helpers import ROOT

COMPOSE: Final[dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: Final[dict[str, dict[str, Any]]] = COMPOSE["services"]

QUEUES: Final = ("research", "training", "backtest")
WORKERS: Final = [f"worker-{queue}" for queue in QUEUES]
PREVIOUS: Final = [f"previous-{queue}" for queue in QUEUES]
OURS: Final = {"setup", "ktrdr", "api", *WORKERS, *PREVIOUS}
ONCE: Final = {"temporal-schema", "temporal-namespace", "setup"}


def mounts(service: str) -> dict[str, str]:
    """Return what is mounted into a service, by the path in the container."""
    parts = [volume.removesuffix(":ro") for volume in SERVICES[service].get("volumes", [])]
    return {target: source for source, _, target in (part.rpartition(":") for part in parts)}


def file_behind(service: str, path: str) -> Path | None:
    """Return the file of the repository that a path in a container is; None if it is not of it."""
    for target, source in mounts(service).items():
        if source.startswith("./") and Path(path).is_relative_to(target):
            return ROOT / source / Path(path).relative_to(target)
    return None


def health_check(service: str) -> list[str]:
    """Return the command of a service's health check, as it is run in the container."""
    kind, *command = SERVICES[service]["healthcheck"]["test"]
    unescaped = [part.replace("$$", "$") for part in command]
    return unescaped if kind == "CMD" else ["sh", "-c", *unescaped]
