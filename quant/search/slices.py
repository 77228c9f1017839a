"""A search in slices: how it begins, and how one slice is scored."""

import time
from collections.abc import Iterable, Iterator
from typing import Final

import lightgbm
import numpy as np
import optuna
import talib

from errors import CheckpointMismatch, InvalidInput, MissingArtifact
from quant.backtest.metrics import annualise
from quant.messages.artifacts import Artifact, Workspace, name_slice, name_unfinished_slice
from quant.messages.progress import ReportProgress
from quant.messages.record.trials import ReportTrial, Trial, TrialOnBars
from quant.messages.search import (
    BegunSearch,
    RefusedCandidate,
    ScoredCandidate,
    SliceInput,
    SliceResult,
)
from quant.messages.steps import DesignInput
from quant.search.plan import SearchPlan
from quant.search.progress import Scale, describe_search
from quant.search.proposals import Proposer
from quant.search.records import (
    Proposals,
    SearchRecord,
    SliceRecord,
    choose_best,
    digest,
    read_proposals,
    read_round,
    read_search,
    read_slice,
)
from quant.search.scorer import Scorer
from quant.search.search import make_space, name_strategy
from quant.search.team import Team
from quant.universe.universe import Universe

FORMAT: Final = "3"

# A killed slice loses the trials of this time at most.
_SECONDS_BETWEEN_WRITES: Final = 0.5


def begin_search(
    inp: DesignInput, plan: SearchPlan, bars: Universe, workspace: Workspace
) -> BegunSearch:
    """Begin a search, or continue what an earlier run has left of it.

    Args:
        inp: The request. Features and positions are those that it means, not a brief.
        plan: How the search is cut into rounds.
        bars: All bars.
        workspace: Keeps what the search is.

    Raises:
        CheckpointMismatch: The earlier run had other bars, another request or other versions.
        InvalidInput: The bars do not have what the features need.
    """
    inp = inp.model_copy(update={"brief": None, "data": bars.describe().source})
    earlier = inp.earlier.trials if inp.earlier else ()
    record = SearchRecord(
        input=inp,
        identity={
            **_identify(inp, bars),
            "rounds": ", ".join(
                str(len(each)) for each in plan.cut_into_rounds(inp.trials, bars.rows)
            ),
            "features": ", ".join(inp.features or ()) or "all",
            "short positions": "ruled out" if inp.long_only else "allowed",
            "earlier trials": digest(earlier),
        },
    )
    development, _ = bars.split()
    return _begin(record, bars, workspace, _make_proposer(inp, development).remembered)


def begin_proposals(inp: DesignInput, bars: Universe, workspace: Workspace) -> BegunSearch:
    """Begin a search whose candidates a language model proposes, or continue it.

    Args:
        inp: The request.
        bars: All bars.
        workspace: Keeps what the search is.

    Raises:
        CheckpointMismatch: The earlier run had other bars, another request or other versions.
    """
    inp = inp.model_copy(update={"brief": None, "data": bars.describe().source})
    record = SearchRecord(input=inp, identity=_identify(inp, bars), proposed=True)
    return _begin(record, bars, workspace)


def _begin(
    record: SearchRecord, bars: Universe, workspace: Workspace, remembered: int = 0
) -> BegunSearch:
    """Store what a search is, unless an earlier run has, and find what that has left."""
    before = read_search(workspace)
    if before is None:
        workspace.write(Artifact.SEARCH, record.model_dump_json().encode())
    else:
        _require_same(before.identity, record.identity)
    finished = 0
    while before is not None and read_round(workspace, finished + 1) is not None:
        finished += 1
    return BegunSearch(
        data=bars.describe(),
        periods_per_year=bars.periods_per_year,
        remembered=remembered,
        finished_rounds=finished,
    )


def score_slice(
    inp: SliceInput,
    search: SearchRecord,
    bars: Universe,
    workspace: Workspace,
    report: ReportProgress,
    report_trial: ReportTrial,
) -> SliceResult:
    """Score the trials of a slice that no earlier attempt has scored.

    Args:
        inp: The numbers of the trials.
        search: What the search is.
        bars: All bars.
        workspace: Has the earlier rounds, and receives the slice.
        report: Called after every trial.
        report_trial: Called with every trial as soon as it is scored.

    Raises:
        CheckpointMismatch: Another version of a library has begun this search.
        MissingArtifact: The round before, or what a model has proposed, is not there.
    """
    began = time.monotonic()
    _require_same(search.identity, _list_versions())
    record = read_slice(workspace, inp)
    reused = record.done
    missing = range(inp.first + reused, inp.last + 1)
    candidates = _score(missing, inp.round_number, search, bars, workspace)
    written = time.monotonic()
    total = inp.last - inp.first + 1
    scale = Scale.of(len(bars), bars.periods_per_year)
    source = bars.describe().source
    for trial in record.trials:
        # The attempt that has scored them may have ended before it could record them.
        report_trial(TrialOnBars(data=source, trial=trial))
    for candidate in candidates:
        if isinstance(candidate, RefusedCandidate):
            record = record.model_copy(update={"refused": (*record.refused, candidate)})
        else:
            record = _add(record, candidate, bars)
            report_trial(TrialOnBars(data=source, trial=candidate.trial))
        scored = record.done
        if scored < total and time.monotonic() - written >= _SECONDS_BETWEEN_WRITES:
            _write(record, name_unfinished_slice(inp.first, inp.last), workspace)
            written = time.monotonic()
        report(describe_search(scored, total, record.best_sharpe, scale))
    _write(record, name_slice(inp.first, inp.last), workspace)
    return SliceResult(
        best_sharpe=record.best_sharpe,
        seconds=time.monotonic() - began,
        reused=reused,
    )


def _score(
    numbers: range, round_number: int, search: SearchRecord, bars: Universe, workspace: Workspace
) -> Iterable[ScoredCandidate | RefusedCandidate]:
    """Score the candidates with these numbers of a round, in their order."""
    if not numbers:
        return ()
    development, _ = bars.split()
    scorer = Scorer(development, search.input.seed)
    if search.proposed:
        proposals = read_proposals(workspace, round_number)
        if proposals is None:
            raise MissingArtifact(
                f"The candidates of round {round_number} are not in the artifact store. Start "
                "over with `ktrdr retry`."
            )
        return _score_proposals(numbers, proposals, scorer)
    team = Team(_make_proposer(search.input, development), scorer)
    found = team.score_round(numbers, _read_known(workspace, round_number))
    return (each.model_copy(update={"spec": name_strategy(each.spec)}) for each in found)


def _score_proposals(
    numbers: range, proposals: Proposals, scorer: Scorer
) -> Iterator[ScoredCandidate | RefusedCandidate]:
    for number in numbers:
        spec = proposals.get(number)
        try:
            yield scorer.score_candidate(number, spec, {})
        except InvalidInput as error:
            fingerprint = spec.trial_fingerprint(scorer.seed)
            yield RefusedCandidate(fingerprint=fingerprint, why=error.message)


def _add(record: SliceRecord, candidate: ScoredCandidate, bars: Universe) -> SliceRecord:
    """Return the record with one more trial."""
    best = choose_best((record.best, candidate)) or candidate
    return record.model_copy(
        update={
            "trials": (*record.trials, candidate.trial),
            "best": best,
            "best_sharpe": annualise(best.trial.sharpe, bars.periods_per_year),
        }
    )


def _identify(inp: DesignInput, bars: Universe) -> dict[str, str]:
    """Return what the candidates and scores of every search depend on."""
    return {
        "bars": bars.content_hash,
        "seed": str(inp.seed),
        "trials": str(inp.trials),
        **_list_versions(),
    }


def _list_versions() -> dict[str, str]:
    return {
        "search format": FORMAT,
        "LightGBM": lightgbm.__version__,
        "NumPy": np.__version__,
        "Optuna": optuna.__version__,
        "TA-Lib": talib.__version__,
    }


def _make_proposer(inp: DesignInput, development: Universe) -> Proposer:
    space = make_space(development, inp.features or (), long_only=inp.long_only or False)
    return Proposer(space, inp.seed, inp.earlier.trials if inp.earlier else ())


def _read_known(workspace: Workspace, round_number: int) -> tuple[Trial, ...]:
    if round_number == 1:
        return ()
    before = read_round(workspace, round_number - 1)
    if before is None:
        raise MissingArtifact(
            f"Round {round_number - 1} of the search is not in the artifact store. Start over "
            "with `ktrdr retry`."
        )
    return before.known


def _write(record: SliceRecord, name: str, workspace: Workspace) -> None:
    workspace.write(name, record.model_dump_json().encode())


def _require_same(found: dict[str, str], expected: dict[str, str]) -> None:
    differences = [
        f"{name} {found.get(name)} instead of {value}"
        for name, value in expected.items()
        if found.get(name) != value
    ]
    if differences:
        raise CheckpointMismatch(
            f"The scored trials belong to another search: {'; '.join(differences)}."
        )
