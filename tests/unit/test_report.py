"""The report and the comparison, read as a person and a browser would."""

import re
from pathlib import Path

import numpy as np
import pytest

from activities.direct import conduct
from quant import figures, metrics
from quant.conclusions import publish
from quant.dossier import Dossier
from quant.glossary import TERMS
from quant.models import DataSource, ModelComment
from quant.record import Record
from quant.report import render, render_comparison
from storage.artifacts import ArtifactStore


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("research")
    conduct(DataSource(symbol="NASDAQ"), trials=3, seed=7, store=ArtifactStore(str(home)))
    return home


@pytest.fixture(scope="module")
def dossier(home: Path) -> Dossier:
    stored = ArtifactStore(str(home)).operation("assessment").read("report.json")
    assert stored is not None
    return Dossier.model_validate_json(stored)


def test_the_record_is_one_account(dossier: Dossier) -> None:
    record = Record.of(dossier)
    assert dossier.curves is not None
    assert record.holdout == len(dossier.walk_forward.returns)
    assert len(record.times) == record.holdout + len(dossier.curves.returns)
    assert (np.diff(record.times.astype(np.int64)) > 0).all()
    assert np.allclose(record.equity, np.cumprod(1.0 + record.returns))
    assert record.equity[-1] == pytest.approx(
        dossier.walk_forward.equity[-1] * dossier.curves.equity["1x"][-1]
    )


def test_months_multiply_to_the_whole(dossier: Dossier) -> None:
    record = Record.of(dossier)
    months = [earned for year in record.monthly.values() for earned in year.values()]
    assert np.prod(1.0 + np.array(months)) == pytest.approx(record.equity[-1])
    assert set(record.monthly) == set(range(2001, 2019))
    assert set(record.monthly[2010]) == set(range(1, 13))


def test_the_rolling_sharpe_ratio_looks_back_only() -> None:
    returns = np.random.default_rng(1).normal(0.0, 0.01, 300)
    rolling = metrics.rolling_sharpe(returns, 50)
    assert np.isnan(rolling[:49]).all()
    for bar in (49, 120, 299):
        assert rolling[bar] == pytest.approx(metrics.sharpe(returns[bar - 49 : bar + 1]))
    assert np.isnan(metrics.rolling_sharpe(np.zeros(60), 50)).all()


def test_a_report_has_all_that_one_needs_to_decide(dossier: Dossier) -> None:
    page = render(dossier)
    statistics = dossier.result.statistics
    assert statistics is not None
    for shown in (
        *(dossier.result.summary, "Returns by month", "Could it be luck?", "Neighbours"),
        *("Trades on the holdout", "Feature importance", "Definitions", "looks at this holdout"),
        *(dossier.input.training.data.content_hash, f"lightgbm {dossier.versions['lightgbm']}"),
        f"{statistics.trials_ever}</b>trials on these bars",
    ):
        assert shown in page
    assert page.count("<svg") == 3
    assert dossier.curves is not None
    assert page.count("<tr><td>20") >= len(dossier.curves.trades)


def test_every_definition_that_is_linked_exists(dossier: Dossier) -> None:
    for page in (render(dossier), render_comparison([dossier])):
        linked = set(re.findall(r'<a href="#([^"]+)"', page))
        assert linked
        assert linked <= set(re.findall(r'<dt id="([^"]+)"', page)) == set(TERMS)


def test_pages_need_nothing_from_outside(dossier: Dossier) -> None:
    for page in (render(dossier), render_comparison([dossier])):
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
    assert page.count("<svg") == 1


def test_equal_dossiers_give_equal_pictures(dossier: Dossier) -> None:
    sheet = figures.sheet(dossier)
    assert sheet.startswith(b"\x89PNG")
    assert figures.sheet(dossier) == sheet
    assert render(dossier) == render(dossier)


def test_what_is_added_later_stands_in_all_three(home: Path, dossier: Dossier) -> None:
    artifacts = ArtifactStore(str(home)).operation("assessment")
    said = ModelComment(text="Nothing <b>to</b> see.", model="test:model")
    publish(dossier.result.model_copy(update={"comment": said}), artifacts)
    for name in ("assessment.json", "report.json", "report.html"):
        stored = artifacts.read(name)
        assert stored is not None
        assert b"test:model" in stored
    page = (artifacts.read("report.html") or b"").decode()
    assert "Nothing &lt;b&gt;to&lt;/b&gt; see." in page
