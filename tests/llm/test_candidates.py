"""Candidates of a language model: which are scored together, and which are not scored again."""

import asyncio

import pytest
from pydantic_ai import ModelRetry

from activities.llm.designer import Candidates
from errors import ComputeDied
from quant.bars.loader import load_bars
from quant.messages.data import DataSource
from quant.messages.progress import ignore_report
from quant.messages.record.trials import Trial
from quant.messages.search import BegunSearch, RefusedCandidate
from quant.messages.strategy import StrategySpec
from quant.search.records import Proposals, RoundRecord
from quant.search.scorer import Scorer
from tests.llm.replies import strategy


def begin_on_known_bars() -> BegunSearch:
    data = load_bars(DataSource(), None).describe()
    return BegunSearch(data=data, periods_per_year=256.0, remembered=0, finished_rounds=0)


async def test_the_death_of_a_process_is_not_the_models_doing() -> None:
    async def die(number: int, proposals: Proposals) -> RoundRecord:  # noqa: ARG001
        raise ComputeDied("killed")

    candidates = Candidates(5, 7, begin_on_known_bars(), [], die, ignore_report)
    specs = [StrategySpec.model_validate(strategy(period)) for period in (10, 20)]
    failures = await asyncio.gather(*map(candidates.score, specs), return_exceptions=True)
    assert [type(each) for each in failures] == [ComputeDied, ComputeDied]


async def test_candidates_of_one_answer_are_one_round_within_the_limit() -> None:
    asked: list[tuple[int, int, list[str]]] = []

    async def score_round(number: int, proposals: Proposals) -> RoundRecord:
        asked.append((number, proposals.first, [each.name for each in proposals.specs]))
        refused, *scored = proposals.specs
        trials = tuple(
            Trial(number=index, fingerprint=each.fingerprint(), sharpe=0.1, parameters={})
            for index, each in enumerate(scored, start=proposals.first + 1)
        )
        why = RefusedCandidate(fingerprint=refused.fingerprint(), why="Too few bars.")
        return RoundRecord(trials=trials, refused=(why,))

    candidates = Candidates(4, 7, begin_on_known_bars(), [], score_round, ignore_report)
    specs = [StrategySpec.model_validate(strategy(period)) for period in (10, 20, 20, 30, 40, 50)]
    found = await asyncio.gather(*map(candidates.score, specs), return_exceptions=True)
    assert asked == [(1, 1, ["rsi-10", "rsi-20", "rsi-30", "rsi-40"])]
    assert str(found[0]) == "Too few bars."
    assert found[1:5] == [pytest.approx(1.6)] * 4
    assert "All 4 candidates are used up" in str(found[5])
    # What was refused is not scored again, and the limit does not depend on whether it was.
    with pytest.raises(ModelRetry, match="Too few bars"):
        await candidates.score(specs[0])
    with pytest.raises(ModelRetry, match="used up"):
        await candidates.score(specs[5])
    assert (len(asked), candidates.left) == (1, 0)


async def test_a_candidate_that_comes_while_others_are_scored_is_the_next_round() -> None:
    asked: list[tuple[int, int]] = []
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def score_round(number: int, proposals: Proposals) -> RoundRecord:
        asked.append((number, proposals.first))
        begun.set()
        await may_end.wait()
        [only] = proposals.specs
        fingerprint = only.trial_fingerprint(7)
        trial = Trial(number=number, fingerprint=fingerprint, sharpe=0.1, parameters={})
        return RoundRecord(trials=(trial,))

    candidates = Candidates(5, 7, begin_on_known_bars(), [], score_round, ignore_report)
    first, second = (StrategySpec.model_validate(strategy(period)) for period in (10, 20))
    async with asyncio.TaskGroup() as scoring:
        scoring.create_task(candidates.score(first))
        await begun.wait()
        later = scoring.create_task(candidates.score(second))
        await asyncio.sleep(0)
        assert candidates.left == 3
        may_end.set()
    assert later.result() == pytest.approx(1.6)
    assert asked == [(1, 1), (2, 2)]


async def test_nothing_is_scored_after_a_failure() -> None:
    asked: list[int] = []
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def die(number: int, proposals: Proposals) -> RoundRecord:  # noqa: ARG001
        asked.append(number)
        begun.set()
        await may_end.wait()
        raise ComputeDied("killed")

    candidates = Candidates(5, 7, begin_on_known_bars(), [], die, ignore_report)
    first, second = (StrategySpec.model_validate(strategy(period)) for period in (10, 20))
    scoring = [asyncio.create_task(candidates.score(first))]
    await begun.wait()
    scoring.append(asyncio.create_task(candidates.score(second)))
    await asyncio.sleep(0)
    assert candidates.left == 3
    may_end.set()
    failures = await asyncio.gather(*scoring, return_exceptions=True)
    assert [type(each) for each in failures] == [ComputeDied, ComputeDied]
    assert asked == [1]


async def test_a_candidate_that_samples_is_counted_with_its_seed() -> None:
    sampled = strategy(model={"num_iterations": 20, "feature_fraction": 0.5})
    spec = StrategySpec.model_validate(sampled)
    scorer = Scorer(load_bars(DataSource(), None).split()[0], 7)

    async def score_round(number: int, proposals: Proposals) -> RoundRecord:
        [only] = proposals.specs
        return RoundRecord(trials=(scorer.score_candidate(number, only, {}).trial,))

    candidates = Candidates(5, 7, begin_on_known_bars(), [], score_round, ignore_report)
    await candidates.score(spec)
    [trial] = candidates.trials
    assert trial.fingerprint == spec.trial_fingerprint(7) != spec.trial_fingerprint(8)
