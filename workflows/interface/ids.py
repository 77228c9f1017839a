"""Operation ids. An operation id is the workflow id, or that of a step within a research."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from workflows.interface.contract import OperationType

_STEP_SUFFIX = {
    OperationType.DESIGN: "design",
    OperationType.TRAINING: "training",
    OperationType.BACKTEST: "backtest",
    OperationType.ASSESSMENT: "assessment",
}
_SLICE_ID = re.compile(r"trials-([0-9]{1,9})-([0-9]{1,9})-of-([0-9]{1,9})-of-([0-9]{1,9})")
_ROUND_ID = re.compile(r"(?:round|search)-to-([0-9]{1,9})-of-([0-9]{1,9})")
_DATED_KEY = re.compile(
    r"(agent_research|training|backtesting)-([0-9]{8}T[0-9]{6}Z)-[0-9a-f]{16,64}"
)
_KEY_TIME = "%Y%m%dT%H%M%SZ"
_MEMBER_ID = re.compile(r"(.+)\.m([0-9]{1,9})", re.DOTALL)
_STEP_OF_SUFFIX = {suffix: step for step, suffix in _STEP_SUFFIX.items()}


def make_operation_id(
    operation_type: OperationType, now: datetime, token: str | None = None
) -> str:
    """Return an id, `op_<type>_<yyyymmdd>_<hhmmss>_<8 hex>`.

    Args:
        operation_type: Type of the operation.
        now: Time in the id.
        token: The last part. Random if None, so that the id is new.
    """
    return f"op_{operation_type.value}_{now:%Y%m%d_%H%M%S}_{token or secrets.token_hex(4)}"


def make_retry_id(operation_type: OperationType, run_id: str, ended: datetime) -> str:
    """Return the id of the retry of a run that has ended. A run has one such id only."""
    token = hashlib.sha256(run_id.encode()).hexdigest()[:8]
    return make_operation_id(operation_type, ended, token)


@dataclass(frozen=True)
class DatedKey:
    """An idempotency key that says what it starts, and when: `<type>-<yyyymmdd>T<hhmmss>Z-<hex>`.

    The id of the operation derives from such a key, so nothing else has to remember it.

    Attributes:
        operation_type: What it starts.
        time: When it was made.
    """

    operation_type: OperationType
    time: datetime

    @classmethod
    def parse(cls, key: str) -> Self | None:
        """Return what a key says, or None if it is not of this form."""
        found = _DATED_KEY.fullmatch(key)
        try:
            return found and cls(
                OperationType(found[1]), datetime.strptime(found[2], _KEY_TIME).replace(tzinfo=UTC)
            )
        except ValueError:
            return None

    def make_operation_id(self, key: str, attempt: int = 0) -> str:
        """Return the id of the operation that this key starts.

        Args:
            key: The key and its owner.
            attempt: How many ids before this one belong to other keys.
        """
        token = hashlib.sha256(f"{attempt}\n{key}".encode()).hexdigest()[:8]
        return make_operation_id(self.operation_type, self.time, token)


def make_dated_key(operation_type: OperationType, now: datetime) -> str:
    """Return a new key for the start of such an operation."""
    return f"{operation_type.value}-{now:{_KEY_TIME}}-{secrets.token_hex(16)}"


def get_step_name(step: OperationType) -> str:
    """Return the short name of a step. The id of the step ends with it."""
    return _STEP_SUFFIX[step]


def make_step_id(research_id: str, step: OperationType) -> str:
    """Return the id of a step of a research: the id of the research, a dot, the short name."""
    return f"{research_id}.{_STEP_SUFFIX[step]}"


def parse_step_id(operation_id: str) -> tuple[str, OperationType] | None:
    """Split a step's id into research id and step, or return None if it is not a step's."""
    research_id, _, suffix = operation_id.rpartition(".")
    step = _STEP_OF_SUFFIX.get(suffix)
    return (research_id, step) if research_id and step else None


def split_step(text: str) -> tuple[str, str]:
    """Split the short name of a step off, with its dot; it is empty if there is none."""
    parsed = parse_step_id(text)
    return (parsed[0], f".{get_step_name(parsed[1])}") if parsed else (text, "")


def make_member_id(campaign_id: str, number: int) -> str:
    """Return the id of a research of a campaign: the id of the campaign, `.m`, the number."""
    return f"{campaign_id}.m{number:04}"


def parse_member_id(operation_id: str) -> tuple[str, int] | None:
    """Split a member's id into campaign id and number, or return None if it is not a member's."""
    found = _MEMBER_ID.fullmatch(operation_id)
    return (found[1], int(found[2])) if found else None


@dataclass(frozen=True)
class SliceId:
    """The id of an activity of a search in slices, in its parts.

    It says how far the search is, so that this is known without a worker.

    Attributes:
        first: Number of the first trial.
        last: Number of the last trial.
        round_last: Number of the last trial of its round.
        trials: Number of all trials.
    """

    first: int
    last: int
    round_last: int
    trials: int

    def __str__(self) -> str:
        return f"trials-{self.first}-{self.last}-of-{self.round_last}-of-{self.trials}"

    @property
    def size(self) -> int:
        """How many trials it scores: none if it gathers those of others."""
        return self.last - self.first + 1

    @classmethod
    def parse(cls, activity_id: str) -> Self | None:
        """Return the parts of an id, or None if it is of another activity.

        An activity that gathers trials is past the last trial of its round.
        """
        if found := _SLICE_ID.fullmatch(activity_id):
            return cls(*(int(number) for number in found.groups()))
        if found := _ROUND_ID.fullmatch(activity_id):
            last, trials = (int(number) for number in found.groups())
            return cls(last + 1, last, last, trials)
        return None


def make_round_id(last: int, trials: int) -> str:
    """Return the id of the activity that gathers the round with this last trial."""
    return f"round-to-{last}-of-{trials}"


def make_search_id(trials: int) -> str:
    """Return the id of the activity that concludes a search."""
    return f"search-to-{trials}-of-{trials}"
