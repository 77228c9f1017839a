"""The report and the comparison, read as a person and a browser would."""

import re
from pathlib import Path

import numpy as np
import pytest

from quant.backtest import metrics
from quant.messages.artifacts import Artifact
from quant.messages.report.dossier import Dossier
from quant.messages.steps import ModelComment
from quant.report.glossary import TERMS
from quant.report.page import render_comparison, render_report
from quant.report.sheet import draw_sheet
from quant.report.track_record import TrackRecord, rolling_sharpe
from quant.steps.assess import publish_assessment
from storage.artifacts import ArtifactStore


def test_the_record_is_one_account(dossier: Dossier) -> None:
    record = TrackRecord.from_dossier(dossier)
    assert dossier.curves is not None
    assert record.holdout == len(dossier.walk_forward.returns)
    assert len(record.timestamps) == record.holdout + len(dossier.curves.returns)
    assert record.timestamps == sorted(set(record.timestamps))
    assert np.allclose(record.equity, np.cumprod(1.0 + np.array(record.returns)))
    assert record.equity[-1] == pytest.approx(
        dossier.walk_forward.equity[-1] * dossier.curves.equity["1x"][-1]
    )


def test_months_multiply_to_the_whole(dossier: Dossier) -> None:
    record = TrackRecord.from_dossier(dossier)
    months = [earned for year in record.monthly.values() for earned in year.values()]
    assert np.prod(1.0 + np.array(months)) == pytest.approx(record.equity[-1])
    assert set(record.monthly) == set(range(2001, 2019))
    assert set(record.monthly[2010]) == set(range(1, 13))


def test_the_rolling_sharpe_ratio_looks_back_only() -> None:
    returns = np.random.default_rng(1).normal(0.0, 0.01, 300)
    rolling = rolling_sharpe(returns.tolist(), 50)
    assert np.isnan(rolling[:49]).all()
    for bar in (49, 120, 299):
        assert rolling[bar] == pytest.approx(metrics.sharpe(returns[bar - 49 : bar + 1]))
    assert np.isnan(rolling_sharpe([0.0] * 60, 50)).all()


def test_a_report_has_all_that_one_needs_to_decide(dossier: Dossier) -> None:
    page = render_report(dossier)
    statistics = dossier.result.statistics
    assert statistics is not None
    for shown in (
        *(dossier.result.summary, "Returns by month", "Could it be luck?", "Neighbours"),
        *("Trades on the holdout", "Feature importance", "Definitions", "</a> at this holdout"),
        *(dossier.input.training.data.content_hash, f"lightgbm {dossier.versions['lightgbm']}"),
        f"<b>{statistics.trials_ever}</b><a",
    ):
        assert shown in page
    assert page.count("<svg") == 7
    assert dossier.curves is not None
    assert page.count("<tr><td>20") >= len(dossier.curves.trades)


def test_every_definition_that_is_linked_exists(dossier: Dossier) -> None:
    for page in (render_report(dossier), render_comparison([dossier])):
        linked = set(re.findall(r'<a href="#([^"]+)"', page))
        assert linked
        assert linked == set(re.findall(r'<dt id="([^"]+)"', page)) <= set(TERMS)


def test_two_sharpe_ratios_of_one_strategy_say_where_they_are_from(dossier: Dossier) -> None:
    page = render_report(dossier)
    assert dossier.input.design is not None
    assert dossier.input.training.sharpe is not None
    assert f"in these 5 folds: {figure(dossier.input.training.sharpe)}" in page
    assert "whose walk-forward has 3 folds" in page
    assert f"{figure(dossier.input.design.best_sharpe)}.\n</p>" in page
    assert "Sharpe ratio in the search, 3 folds" in page
    spoken = " ".join(dossier.result.observations)
    assert "in the walk-forward of the training, 5 folds" in spoken
    assert "in the walk-forward of a search, 3 folds" in spoken


def test_a_page_has_its_main_figure_for_every_width(dossier: Dossier) -> None:
    for page in (render_report(dossier), render_comparison([dossier])):
        broad, narrow = (
            page.index(f'<div class="{width}" role="img"') for width in ("broad", "narrow")
        )
        assert "<svg" in page[broad:narrow]
        assert page[narrow:].index("<svg") < page[narrow:].index("</figure>")


def figure(value: float | None) -> str:
    assert value is not None
    return f"{value:.2f}".replace("-", "\N{MINUS SIGN}")


def test_pages_need_nothing_from_outside(dossier: Dossier) -> None:
    for page in (render_report(dossier), render_comparison([dossier])):
        assert not re.findall(r"""(?:src|srcset|href|action|data)\s*=\s*["'](?!\#)""", page)
        assert not re.findall(r"url\((?!#)|@import|<script|<link|<img|<iframe", page)


def test_a_comparison_ranks_by_the_deflated_sharpe_ratio(dossier: Dossier) -> None:
    assert dossier.result.statistics is not None
    better = dossier.result.statistics.model_copy(update={"deflated_sharpe": 0.999})
    winner = dossier.model_copy(
        update={
            "result": dossier.result.model_copy(update={"statistics": better}),
            "input": dossier.input.model_copy(
                update={"spec": dossier.input.spec.model_copy(update={"name": "winner"})}
            ),
        }
    )
    rejected = dossier.model_copy(
        update={
            "result": dossier.result.model_copy(update={"statistics": None}),
            "input": dossier.input.model_copy(update={"backtest": None}),
            "curves": None,
        }
    )
    page = render_comparison([rejected, dossier, winner])
    assert page.index("1. winner") < page.index(f"2. {dossier.input.spec.name}")
    assert "99.9%" in page
    assert "NASDAQ 1d, buy and hold" in page
    assert "<td></td>" not in page
    assert page.count(f"<code>{dossier.input.operation_id}</code>") == 3


def test_a_comparison_shows_the_sharpe_ratio_of_what_a_gate_stopped(dossier: Dossier) -> None:
    assert dossier.input.backtest is not None
    level = dossier.input.backtest.get_level(1.0).model_copy(update={"sharpe": -7.25})
    backtest = dossier.input.backtest.model_copy(update={"levels": [level]})
    stopped = dossier.model_copy(
        update={
            "result": dossier.result.model_copy(update={"statistics": None}),
            "input": dossier.input.model_copy(update={"backtest": backtest}),
        }
    )
    assert "\N{MINUS SIGN}7.25" in render_comparison([stopped])


def test_a_comparison_links_to_the_reports(dossier: Dossier) -> None:
    address = "http://localhost:1/report"
    page = render_comparison([dossier], {dossier.input.operation_id: address})
    assert f'<a href="{address}"><code>{dossier.input.operation_id}</code></a>' in page


def test_nothing_is_less_than_zero_by_rounding(dossier: Dossier) -> None:
    level = dossier.input.backtest and dossier.input.backtest.levels[0]
    assert level is not None
    almost = level.model_copy(update={"total_return": -0.0001, "sharpe": -0.0001})
    backtest = dossier.input.backtest and dossier.input.backtest.model_copy(
        update={"levels": [almost, *dossier.input.backtest.levels[1:]]}
    )
    page = render_report(
        dossier.model_copy(
            update={"input": dossier.input.model_copy(update={"backtest": backtest})}
        )
    )
    assert "<td>0.0%</td>" in page
    assert not re.search("\N{MINUS SIGN}0[.]0+(%|<)", page)


def test_equal_dossiers_give_equal_pictures(dossier: Dossier) -> None:
    sheet = draw_sheet(dossier)
    assert sheet.startswith(b"\x89PNG")
    assert draw_sheet(dossier) == sheet
    assert render_report(dossier) == render_report(dossier)


def test_what_is_added_later_stands_in_both_and_on_the_page(home: Path, dossier: Dossier) -> None:
    artifacts = ArtifactStore(str(home)).open("assessment")
    said = ModelComment(text="Nothing <b>to</b> see.", model="test:model")
    publish_assessment(dossier.result.model_copy(update={"comment": said}), artifacts)
    for name in (Artifact.ASSESSMENT, Artifact.DOSSIER):
        stored = artifacts.read(name)
        assert stored is not None
        assert b"test:model" in stored
    page = render_report(Dossier.model_validate_json(artifacts.read(Artifact.DOSSIER) or b""))
    assert "Nothing &lt;b&gt;to&lt;/b&gt; see." in page
