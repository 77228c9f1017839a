"""What a search that is cut into slices keeps in its artifacts.

Every artifact is written once and in full, so whatever is killed, none is ever half of one.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

from quant.messages.artifacts import (
    Artifact,
    Workspace,
    name_proposals,
    name_round,
    name_slice,
    name_unfinished_slice,
    parse_artifact,
)
from quant.messages.base import FrozenModel
from quant.messages.record.trials import Trial
from quant.messages.search import RefusedCandidate, ScoredCandidate, SliceInput
from quant.messages.steps import DesignInput
from quant.messages.strategy import StrategySpec

# The time of a proposal grows with the trials that a study knows, but not what it finds.
KEPT_BEST: Final = 50
KEPT_LATEST: Final = 200


class SearchRecord(FrozenModel):
    """What a search is, for its slices. The artifact `search.json`.

    Attributes:
        input: The request, with the earlier trials to start from.
        identity: All that its candidates and scores depend on, under names for error messages.
        proposed: Whether a language model proposes the candidates of each round.
    """

    input: DesignInput
    identity: dict[str, str]
    proposed: bool = False


class Proposals(FrozenModel):
    """The candidates of a round that a language model has proposed.

    Attributes:
        first: Number of the first one.
        specs: All of them, in the order of their numbers.
    """

    first: int
    specs: tuple[StrategySpec, ...]

    @property
    def last(self) -> int:
        """Number of the last one."""
        return self.first + len(self.specs) - 1

    def get(self, number: int) -> StrategySpec:
        """Return the candidate with this number."""
        return self.specs[number - self.first]


class SliceRecord(FrozenModel):
    """The trials of a slice that are scored.

    Attributes:
        trials: In the order of their numbers.
        best: The best of them, under its final name; None before the first.
        best_sharpe: Its Sharpe ratio, annualised; None if none traded.
        refused: Candidates that cannot be scored. Only a language model proposes such.
    """

    trials: tuple[Trial, ...] = ()
    best: ScoredCandidate | None = None
    best_sharpe: float | None = None
    refused: tuple[RefusedCandidate, ...] = ()

    @property
    def done(self) -> int:
        """Number of the candidates that need no more computation."""
        return len(self.trials) + len(self.refused)


class RoundRecord(FrozenModel):
    """The trials of a round that has finished.

    Attributes:
        trials: In the order of their numbers.
        best: The best candidate of this round and all before.
        best_sharpe: Its Sharpe ratio, annualised; None if none traded.
        known: What the study of the next round knows.
        refused: Candidates of this round that cannot be scored.
    """

    trials: tuple[Trial, ...] = ()
    best: ScoredCandidate | None = None
    best_sharpe: float | None = None
    known: tuple[Trial, ...] = ()
    refused: tuple[RefusedCandidate, ...] = ()


def choose_best(candidates: Sequence[ScoredCandidate | None]) -> ScoredCandidate | None:
    """Return the best candidate, the first among equals; None if there is none."""
    return max((each for each in candidates if each), key=lambda each: each.rank, default=None)


def select_known(known: Sequence[Trial], new: Sequence[Trial]) -> list[Trial]:
    """Return what the study of the next round knows: the best and the latest trials.

    Args:
        known: What the study of the last round has known.
        new: The trials of the last round.

    Returns:
        In the order of their numbers.
    """
    trials = [*known, *new]
    if len(trials) <= KEPT_BEST + KEPT_LATEST:
        return trials
    earlier, latest = trials[:-KEPT_LATEST], trials[-KEPT_LATEST:]
    scored = (trial for trial in earlier if trial.sharpe is not None)
    best = sorted(scored, key=lambda trial: trial.sharpe or 0.0, reverse=True)[:KEPT_BEST]
    return [*sorted(best, key=lambda trial: trial.number), *latest]


def parse_search(content: bytes) -> SearchRecord:
    """Return what a search is.

    Raises:
        DamagedArtifact: The artifact holds something else.
    """
    return parse_artifact(SearchRecord, content, Artifact.SEARCH)


def parse_slice(content: bytes, name: str) -> SliceRecord:
    """Return the record of a slice.

    Raises:
        DamagedArtifact: It is none.
    """
    return parse_artifact(SliceRecord, content, name)


def parse_round(content: bytes, name: str) -> RoundRecord:
    """Return the record of a round.

    Raises:
        DamagedArtifact: It is none.
    """
    return parse_artifact(RoundRecord, content, name)


def read_search(workspace: Workspace) -> SearchRecord | None:
    """Return what the search is; None if it has not begun.

    Raises:
        DamagedArtifact: The artifact holds something else.
    """
    content = workspace.read(Artifact.SEARCH)
    return None if content is None else parse_search(content)


def read_round(workspace: Workspace, number: int) -> RoundRecord | None:
    """Return a round; None if it has not finished.

    Raises:
        DamagedArtifact: The artifact holds something else.
    """
    name = name_round(number)
    content = workspace.read(name)
    return None if content is None else parse_round(content, name)


def read_proposals(workspace: Workspace, number: int) -> Proposals | None:
    """Return what a model has proposed for a round; None if it has not.

    Raises:
        DamagedArtifact: The artifact holds something else.
    """
    name = name_proposals(number)
    content = workspace.read(name)
    return None if content is None else parse_artifact(Proposals, content, name)


def read_slice(workspace: Workspace, inp: SliceInput) -> SliceRecord:
    """Return the trials of a slice that are scored already.

    Raises:
        DamagedArtifact: The artifact holds something else.
    """
    for name in (name_slice(inp.first, inp.last), name_unfinished_slice(inp.first, inp.last)):
        content = workspace.read(name)
        if content is not None:
            return parse_slice(content, name)
    return SliceRecord()


def digest(trials: Sequence[Trial]) -> str:
    """Return a digest of trials, for an identity."""
    content = "".join(trial.model_dump_json() for trial in trials)
    return hashlib.sha256(content.encode()).hexdigest()
