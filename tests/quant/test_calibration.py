"""The calibration's own machinery: researches that share bars and a ledger, and nothing else."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from activities.inline_research import run_inline
from bench.calibration import case, plan, rates, rules, series
from bench.calibration.noise import BARS
from bench.calibration.planted import PERIODS, PLANTED, plant
from quant.bars.loader import load_bars
from quant.learning import training
from quant.messages.data import DataSource
from quant.verdict.gates import GateLimits, TrainingLimits
from storage.artifacts import ArtifactStore
from storage.ledger.ledger import Ledger
from tests.support.quant.data import walk


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    ledger.upgrade()
    return ledger


def test_a_checkpoint_of_one_research_does_not_stop_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(case, "_TRIALS", 1)
    monkeypatch.setattr(series, "noise", lambda _, seed: walk(600, "1D", seed + 1))
    # A busy machine saves a checkpoint at the end of every chunk.
    monkeypatch.setitem(training.train.__kwdefaults__ or {}, "checkpoint_seconds", 0.0)
    outcome = case.run(case.Case("noise", "Gaussian", 0, researches=2))
    assert len(outcome.verdicts) == 2


def test_an_outcome_survives_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(case, "_TRIALS", 1)
    monkeypatch.setattr(series, "noise", lambda _, seed: walk(600, "1D", seed + 1))
    outcome = case.run(case.Case("noise", "Gaussian", 3, looks=4))
    assert outcome.figures is None or outcome.figures["holdout_looks"] == 4
    assert case.Outcome.from_row(json.loads(json.dumps(outcome.to_row()))) == outcome


def test_noise_that_looks_predictable_can_be_read(tmp_path: Path) -> None:
    for kind in ("bounce", "smoothed closes"):
        series.noise(kind, 1).to_csv(tmp_path / "NOISE.csv", index=False)
        assert len(load_bars(DataSource(symbol="NOISE"), tmp_path)) == BARS


@pytest.mark.parametrize("kind", PLANTED)
def test_a_rule_earns_what_was_planted_until_it_dies_or_flips(kind: str) -> None:
    drift = np.full(BARS, 0.004)
    drift[3500:] *= -1.0
    returns, traded, state = plant(kind, drift, np.random.default_rng(1))
    assert len(traded) == BARS and set(np.unique(state)) <= {-1.0, 0.0, 1.0}
    earned = returns[1:] * state[:-1]
    assert earned[:3400].sum() > 1.0
    assert earned[3600:].sum() < -0.3
    # The rule is visible at the close before: the future changes nothing.
    _, _, again = plant(kind, np.append(drift[:2000], drift[2000:] * 3.0), np.random.default_rng(1))
    assert (again[:2000] == state[:2000]).all()


@pytest.mark.parametrize(("fate", "verdicts"), [("lives", {"promising"}), ("flips", {"no_signal"})])
def test_a_rule_itself_is_judged_by_what_it_earns(
    monkeypatch: pytest.MonkeyPatch, fate: series.Fate, verdicts: set[str]
) -> None:
    # What `drift_for` would measure on a long series: about a Sharpe ratio of 3.
    monkeypatch.setattr(series, "drift_for", lambda *_: 0.003)
    judged = rules.judge_rule(case.Case("planted", "momentum", 1, strength=3.0, fate=fate))
    assert set(judged.verdicts) == verdicts
    assert judged.figures is not None
    assert judged.figures["trials_ever"] == 12
    assert (judged.figures["record_sharpe"] > 2.0) == (fate == "lives")


def test_what_the_rules_miss_is_counted() -> None:
    outcomes = [
        case.Outcome(case.Case("planted", "momentum", seed), (verdict,), None, missed)
        for seed, verdict, missed in [
            (1, "promising", ()),
            (2, "mediocre", ("round_trips",)),
            (3, "mediocre", ("round_trips",)),
            (4, "poor", ("p_value", "round_trips")),
        ]
    ]
    assert [(each.name, each.value) for each in rules.count_missed(outcomes)] == [
        ("planted: momentum misses p_value and round_trips", 1),
        ("planted: momentum misses round_trips", 2),
    ]


def test_the_rules_themselves_are_those_of_the_plan_that_live() -> None:
    cases = list(rules.list_planted(5, 2))
    assert {each.kind for each in cases} == set(PLANTED) == set(PERIODS)
    assert {(each.fate, each.strength is None) for each in cases} == {("lives", False)}


def test_a_piece_of_the_plan_has_the_same_share_of_every_group_with_a_target() -> None:
    cases = list(plan.list_evenly(plan.GROUPS, 0))
    sizes = {group.name: len(list(group.list_cases(0))) for group in plan.GROUPS}
    assert len(cases) == len(set(cases)) == sum(sizes.values())
    [aimless] = [group.name for group in plan.GROUPS if group.most is group.least is None]
    aimed = [each for each in cases if each.group != aimless]
    assert cases[: len(aimed)] == aimed
    half = Counter(each.group for each in aimed[: len(aimed) // 2])
    for name, size in sizes.items():
        assert name == aimless or half[name] == pytest.approx(size / 2, abs=1)


def test_rates_have_exact_intervals_and_campaigns_of_fifty() -> None:
    cases = [case.Case("noise", "Gaussian", seed) for seed in range(100)]
    verdicts = [("promising",) if each.seed == 7 else ("poor",) for each in cases]
    outcomes = [
        case.Outcome(each, found, None, ()) for each, found in zip(cases, verdicts, strict=True)
    ]
    share, low, high, *_ = rates.count_groups(outcomes)
    assert "1 of 100" in share.name
    assert low.value == pytest.approx(0.0253, abs=1e-3)
    assert high.value == pytest.approx(5.45, abs=0.01)
    promising, discoveries = rates.count_campaigns(outcomes)
    assert (promising.value, "(2)" in promising.name) == (1, True)
    # What was not judged is no discovery.
    assert discoveries.value == 0


@pytest.mark.parametrize(("lowest_sharpe", "looks"), [(-100.0, 1), (100.0, 0)])
def test_a_look_counts_only_where_the_holdout_was_traded(
    tmp_path: Path,
    ledger: Ledger,
    monkeypatch: pytest.MonkeyPatch,
    lowest_sharpe: float,
    looks: int,
) -> None:
    limits = GateLimits(training=TrainingLimits(sharpe=lowest_sharpe, excess_log_loss=10.0))
    monkeypatch.setattr("activities.inline_research.GateLimits", lambda: limits)
    walk(600, "1D").to_csv(tmp_path / "GOLD.csv", index=False)
    store = ArtifactStore(str(tmp_path / "artifacts"))
    research = run_inline(
        DataSource(symbol="GOLD"), trials=1, seed=1, store=store, data_dir=tmp_path, ledger=ledger
    )
    assert (research.backtest is not None) == bool(looks)
    bars = research.training.data.source
    assert (ledger.looks.count(bars), ledger.trials.count(bars)) == (looks, 1)
    ledger.close()
