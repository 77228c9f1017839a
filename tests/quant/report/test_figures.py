"""The figures of a report show the record as it is."""

import subprocess
import sys
from typing import TypeVar

import numpy as np
import pytest

from quant.messages.record.trials import Trial
from quant.messages.report.dossier import Dossier
from quant.report.chart import Area, Band, Bars, Chart, Line, Points, Rule
from quant.report.figures import (
    chart_comparison,
    chart_performance,
    chart_resamples,
    chart_trials,
)
from quant.report.sheet import draw_sheet
from quant.report.svg import draw_both
from quant.report.track_record import TrackRecord

Kind = TypeVar("Kind", Line, Area, Points, Bars, Band, Rule)


def pick(chart: Chart, kind: type[Kind], panel: int = 0) -> list[Kind]:
    return [mark for mark in chart.panels[panel].marks if isinstance(mark, kind)]


def score(*sharpes: float | None) -> list[Trial]:
    return [
        Trial(number=number, fingerprint="0", sharpe=sharpe, parameters={})
        for number, sharpe in enumerate(sharpes, start=1)
    ]


def without_holdout(dossier: Dossier) -> Dossier:
    return dossier.model_copy(
        update={
            "result": dossier.result.model_copy(update={"statistics": None}),
            "input": dossier.input.model_copy(update={"backtest": None}),
            "curves": None,
            "resampled_sharpes": [],
        }
    )


def test_equity_is_shown_at_three_levels_of_cost_with_the_real_one_in_front(
    dossier: Dossier,
) -> None:
    record = TrackRecord.from_dossier(dossier)
    chart = chart_performance(record)
    lines = pick(chart, Line)
    assert [each.label for each in lines] == ["0x cost", "1x cost", "2x cost", "buy and hold"]
    assert [each.in_front for each in lines] == [False, True, False, False]
    assert [bool(each.dashes) for each in lines] == [False, False, False, True]
    assert len(lines[1].y) == 1_000
    assert (lines[1].y[0], lines[1].y[-1]) == (record.equity[0], record.equity[-1])
    assert lines[0].x[0] == lines[2].x[0] == pick(chart, Band)[0].low
    first = np.datetime64(record.timestamps[0].removesuffix("Z"), "s")
    assert lines[1].x[0] == float(first.astype(np.int64))


def test_the_holdout_is_shaded_in_every_panel_and_named_once(dossier: Dossier) -> None:
    chart = chart_performance(TrackRecord.from_dossier(dossier))
    bands = [pick(chart, Band, panel) for panel in range(3)]
    assert [[each.note for each in of_panel] for of_panel in bands] == [["holdout"], [""], [""]]
    assert dossier.curves is not None
    first = np.datetime64(dossier.curves.timestamps[0].removesuffix("Z"), "s")
    assert {each.low for of_panel in bands for each in of_panel} == {float(first.astype(np.int64))}


def test_the_drawdown_is_the_fall_from_the_peak_in_per_cent(dossier: Dossier) -> None:
    record = TrackRecord.from_dossier(dossier)
    [area] = pick(chart_performance(record), Area, 1)
    worst = (np.array(record.equity) / np.maximum.accumulate(record.equity)).min() - 1.0
    assert max(area.y) <= 0.0
    assert 100.0 * worst <= min(area.y) <= 95.0 * worst


def test_a_research_without_holdout_has_nothing_shaded(dossier: Dossier) -> None:
    chart = chart_performance(TrackRecord.from_dossier(without_holdout(dossier)))
    assert not any(isinstance(mark, Band) for panel in chart.panels for mark in panel.marks)
    assert [each.label for each in pick(chart, Line)] == ["1x cost", "buy and hold"]


def test_the_best_candidate_is_ringed_and_chance_has_a_line(dossier: Dossier) -> None:
    trials = score(0.01, 0.05, None, -0.02)
    chart = chart_trials(dossier.model_copy(update={"trials": trials}))
    candidates, chosen = pick(chart, Points)
    assert candidates.x == [1.0, 2.0, 4.0]
    assert (chosen.x, chosen.y[0]) == ([2.0], max(candidates.y))
    assert (candidates.filled, chosen.filled) == (True, False)
    assert candidates.y[1] == pytest.approx(0.05 * np.sqrt(dossier.periods_per_year))
    [luck] = pick(chart, Rule)
    assert luck.label == f"best of {dossier.input.trials_ever} by chance"
    assert luck.at > 0.0
    assert chart.x.name == "candidate (1 of 4 hardly traded)"


def test_candidates_that_are_all_drawn_are_not_counted(dossier: Dossier) -> None:
    assert chart_trials(dossier.model_copy(update={"trials": score(0.1)})).x.name == "candidate"
    for trials in (score(), score(None, None)):
        chart = chart_trials(dossier.model_copy(update={"trials": trials}))
        assert not pick(chart, Points)
        assert draw_both(chart, 300, 300).broad.count("by chance") == 1


def test_the_histogram_counts_every_resample(dossier: Dossier) -> None:
    chart = chart_resamples(dossier)
    [bars], [band] = pick(chart, Bars), pick(chart, Band)
    assert sum(bars.heights) == len(dossier.resampled_sharpes)
    inside = [band.low <= each <= band.high for each in dossier.resampled_sharpes]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.002)
    assert [each.label for each in pick(chart, Rule)] == ["holdout", "not trading"]
    assert not chart_resamples(without_holdout(dossier)).panels[0].marks


def test_up_to_ten_researches_differ_by_colour_and_bars_by_dashes(dossier: Dossier) -> None:
    record = TrackRecord.from_dossier(dossier)
    records = {f"{number}. winner": record for number in range(1, 11)}
    chart = chart_comparison(records, {"A 1d, buy and hold": record, "B 1d": record})
    lines = pick(chart, Line)
    assert len({each.colour for each in lines[:10]}) == 10
    assert len({each.dashes for each in lines[10:]} - {()}) == 2
    assert lines[0].y[-1] == pytest.approx(record.equity[-1] / record.equity[record.holdout - 1])
    assert draw_both(chart, 324, 288).narrow.count("<polyline") == 12 + 12 + 1


def test_a_ruin_is_drawn_without_warnings(dossier: Dossier) -> None:
    """After the ruin nothing can be multiplied, and no logarithm exists."""
    curves = dossier.walk_forward
    ruined = [*curves.equity[:100], *[0.0] * (len(curves.equity) - 100)]
    gone = dossier.model_copy(update={"walk_forward": curves.model_copy(update={"equity": ruined})})
    record = TrackRecord.from_dossier(gone)
    drawn = draw_both(chart_performance(record), 504, 460)
    compared = draw_both(chart_comparison({"ruined": record}, {}), 324, 288)
    assert "nan" not in "".join([*drawn, *compared])
    assert draw_sheet(gone).startswith(b"\x89PNG")


def test_the_picture_shows_little_too(dossier: Dossier) -> None:
    bare = without_holdout(dossier).model_copy(update={"trials": []})
    assert draw_sheet(bare).startswith(b"\x89PNG")


def test_a_whole_research_is_computed_without_matplotlib() -> None:
    """A library may import it, which the imports of our own modules do not show."""
    program = "import sys, activities.computing.warmup; print('matplotlib' in sys.modules)"
    computed = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=100
    )
    assert computed.stdout.split() == ["False"]
