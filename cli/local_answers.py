"""Answers that commands compose on this machine. Their fields are the JSON that programs read."""

from typing import Literal

from api.auth.scopes import Scope
from quant.messages.base import FrozenModel
from quant.messages.data import DataInfo, DateRange
from quant.messages.evidence import CostLevel, Statistics
from quant.messages.record.comparison import ComparedParameter
from quant.messages.understood import Understood


class ResearchStarted(FrozenModel):
    """A research that runs without being followed."""

    operation_id: str
    status: Literal["started"] = "started"
    type: Literal["research"] = "research"
    understood: Understood
    warnings: list[str]


class Overview(FrozenModel):
    """How many operations there are by status, and how many workers by task queue."""

    operations: dict[str, int]
    workers: dict[str, int]


class ReportSaved(FrozenModel):
    """A report that was written to a file."""

    operation_id: str
    report: str


class ComparedResearch(FrozenModel):
    """One research of a comparison."""

    operation_id: str
    strategy: str
    bars: str
    verdict: str
    trials_ever: int
    statistics: Statistics | None
    """None if a gate stopped the research before it was judged."""
    holdout: CostLevel | None


class Comparison(FrozenModel):
    """Researches side by side."""

    researches: list[ComparedResearch]
    parameters: list[ComparedParameter]
    """Of all researches, in their order."""
    correlations: list[list[float | None]]
    """Of the daily returns of each pair; None with too few days in common, or without variance."""
    common_days: list[list[int]]
    """Days that a pair has in common."""
    page: str | None
    """Path of the page, if one was written."""


class Exported(FrozenModel):
    """Experiments that were written to a file."""

    path: str
    experiments: int


class ScheduleDeleted(FrozenModel):
    """A schedule that no longer exists."""

    schedule_id: str
    deleted: Literal[True] = True


class AvailableBars(FrozenModel):
    """Bars that a research can use."""

    symbol: str
    timeframe: str
    built_in: bool
    file: str | None
    path: str | None


class Finding(FrozenModel):
    """What a check has found in one file."""

    file: str | None
    path: str | None
    error: str | None = None
    warning: str | None = None


class UnreadableBars(DateRange, Finding):
    """Bars that a research would refuse, with the error."""

    symbol: str
    timeframe: str
    content_hash: str | None = None


class ReadableBars(DataInfo, Finding):
    """Bars that a research would use, with remarks about them."""

    remarks: list[str]


class ImportedBars(DataInfo):
    """Bars that were read, and where they are stored or would be."""

    path: str
    stored: bool
    """False for a dry run."""
    notes: list[str]
    """How the file was understood."""
    remarks: list[str]
    """What a trader of these bars should know."""
    watches: list[str] | None = None
    """Researches whose watches look at these bars now. None if nothing was stored, or if no service
    could be asked; watches then look at their usual time."""


class Changes(FrozenModel):
    """What a set-up has changed, one sentence each."""

    changes: list[str]


class Healthy(FrozenModel):
    """Temporal and the ledger are reachable."""

    healthy: Literal[True] = True


class CurrentVersion(FrozenModel):
    """The version of the workers that new operations start on."""

    current: str


class WorkerVersion(FrozenModel):
    """A version of the workers."""

    build_id: str
    current: bool
    drained: bool


class KnownKey(FrozenModel):
    """An API key, without its secret."""

    name: str
    owner: str
    scopes: tuple[Scope, ...]


class KeyAdded(FrozenModel):
    """A new API key, shown once."""

    name: str
    key: str


class KeyRevoked(FrozenModel):
    """The name of an API key that is no longer accepted."""

    revoked: str


class CurrentPayloadKey(FrozenModel):
    """The ID of the key that encrypts payloads from now on."""

    current: str


class PayloadKeys(FrozenModel):
    """The IDs of the keys for payloads, the current one first."""

    keys: list[str]
