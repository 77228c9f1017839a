"""The figures of a tear sheet, and what the report says of instruments."""

from itertools import pairwise

import numpy as np
import pytest

from activities.inline_research import run_inline
from quant.backtest import metrics
from quant.backtest.tear_sheet import (
    list_drawdowns,
    list_lines,
    measure_trades,
    sortino,
)
from quant.messages.artifacts import Artifact
from quant.messages.data import DataSource
from quant.messages.report.dossier import Dossier
from quant.report.page import render_report
from quant.report.track_record import TrackRecord
from storage.artifacts import ArtifactStore
from tests.support.quant.universes import write_universe


@pytest.fixture(scope="module")
def of_several(tmp_path_factory: pytest.TempPathFactory) -> Dossier:
    """The data of a report about four instruments."""
    home = tmp_path_factory.mktemp("several")
    symbols = ("A", "B", "C", "D")
    write_universe(home, symbols)
    store = ArtifactStore(str(home / "store"))
    data = DataSource(symbols=symbols)
    run_inline(data, trials=2, seed=7, store=store, data_dir=home, bypass_gates=True)
    stored = store.open("assessment").read(Artifact.DOSSIER)
    assert stored is not None
    return Dossier.model_validate_json(stored)


def test_drawdowns_are_the_deepest_and_do_not_overlap(dossier: Dossier) -> None:
    record = TrackRecord.from_dossier(dossier)
    found = list_drawdowns(record)

    assert len(found) == 5
    assert [each.depth for each in found] == sorted((each.depth for each in found), reverse=True)
    whole = np.concatenate([[1.0], record.equity])
    assert found[0].depth == pytest.approx(metrics.max_drawdown(whole))
    spans = sorted((each.peak, each.recovered or "9") for each in found)
    assert all(one[1] <= other[0] for one, other in pairwise(spans))


def test_drawdowns_of_a_small_account() -> None:
    record = TrackRecord(
        timestamps=[f"2020-01-0{day}T00:00:00Z" for day in range(1, 6)],
        holdout=5,
        returns=[],
        equity=[1.1, 0.99, 1.21, 1.0, 1.1],
        benchmark=[1.0] * 5,
        other_levels={},
        window=2,
        rolling_sharpe=[],
    )

    deep, shallow = list_drawdowns(record)

    assert (deep.peak[:10], deep.low[:10], deep.recovered) == ("2020-01-03", "2020-01-04", None)
    assert deep.depth == pytest.approx(0.21 / 1.21)
    assert (shallow.peak[:10], shallow.low[:10]) == ("2020-01-01", "2020-01-02")
    assert (shallow.recovered or "")[:10] == "2020-01-03"
    assert (deep.bars, shallow.bars) == (3, 2)


def test_years_multiply_to_the_whole(dossier: Dossier) -> None:
    record = TrackRecord.from_dossier(dossier)

    growth = np.prod([1.0 + each for each in record.years.values()])

    assert growth == pytest.approx(record.equity[-1])


def test_the_figures_are_those_of_the_record(dossier: Dossier) -> None:
    record = TrackRecord.from_dossier(dossier)
    lines = {each.term: each for each in list_lines(record, dossier.periods_per_year)}

    statistics = dossier.result.statistics
    assert statistics is not None
    assert lines["sharpe"].record == pytest.approx(statistics.record_sharpe)
    assert lines["record_beta"].record == pytest.approx(statistics.beta)
    assert lines["record_alpha"].record == pytest.approx(statistics.alpha)
    assert (lines["worst_bar"].record or 0.0) == min(record.returns)


def test_the_sortino_ratio_counts_losses_only() -> None:
    assert sortino(np.array([0.02, -0.01]), 4.0) == pytest.approx(0.005 / np.sqrt(5e-5) * 2.0)
    assert sortino(np.array([0.02, 0.0]), 4.0) is None


def test_trades_have_their_figures(dossier: Dossier) -> None:
    assert dossier.curves is not None
    trades = dossier.curves.trades
    found = measure_trades(trades)

    assert found is not None
    won = [each for each in trades if each.profit > 0.0]
    lost = [each for each in trades if each.profit < 0.0]
    factor = sum(each.profit for each in won) / -sum(each.profit for each in lost)
    assert found.profit_factor == pytest.approx(factor)
    assert found.median_days <= found.longest_days
    assert measure_trades([]) is None


def test_a_report_on_one_instrument_has_no_table_of_instruments(dossier: Dossier) -> None:
    page = render_report(dossier)

    assert "Figures of the record" in page
    assert "Largest drawdowns" in page
    assert "Histogram of the returns per bar" in page
    assert "Instruments on the holdout" not in page


def test_a_report_on_several_names_each(of_several: Dossier) -> None:
    page = render_report(of_several)

    assert "Instruments on the holdout" in page
    assert "4 instruments</summary>" in page
    for symbol in ("A", "B", "C", "D"):
        assert f"<tr><td>{symbol}</td>" in page
    assert "in equal parts" in page
    assert any("independent" in each for each in of_several.result.observations)


def test_three_hundred_instruments_are_folded(of_several: Dossier) -> None:
    assert of_several.curves is not None
    one = of_several.curves.instruments[0]
    many = [one.model_copy(update={"symbol": f"S{each}"}) for each in range(300)]
    curves = of_several.curves.model_copy(update={"instruments": many})

    page = render_report(of_several.model_copy(update={"curves": curves}))

    assert page.count("<details open>") == 0
    assert page.count("<tr><td>S") == 300


def test_a_strategy_is_said_with_all_its_rules(of_several: Dossier) -> None:
    rules = {"stop_loss": 0.05, "max_holding": 9, "volatility_target": 0.1}
    spec = of_several.input.spec.model_copy(update=rules)
    changed = of_several.input.model_copy(update={"spec": spec})

    page = render_report(of_several.model_copy(update={"input": changed}))

    assert "at a loss of 5 %, after 9 bars; seen at a close" in page
    assert "10.0% per year, at most 1.00 times the account" in page
