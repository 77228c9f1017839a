"""What a report shows of instruments: contributions, correlations, prices and trades."""

import re

import numpy as np
import pytest

from errors import InvalidInput
from quant.backtest.account import Account
from quant.backtest.simulation import simulate
from quant.messages.report.curves import Curves
from quant.messages.report.dossier import Dossier
from quant.messages.strategy import Costs
from quant.report.page import render_instrument, render_report
from quant.report.sections.instruments import choose_prices, find_price, shade_correlation
from quant.universe.drawn import MOST_CORRELATED, correlate_instruments, thin_prices
from quant.universe.figures import describe_instruments
from quant.universe.universe import Universe
from tests.support.quant.reports import research_universe
from tests.support.quant.universes import make_bars, make_closes

MANY = 40


def make(instruments: int, *, common: float = 0.0, rows: int = 400) -> Universe:
    closes = make_closes(rows, instruments, 5, common=common)
    return Universe.of([make_bars(f"I{n:03}", closes[:, n]) for n in range(instruments)])


def trade(universe: Universe) -> Account:
    """Trade weekly changes at random."""
    drawn = np.random.default_rng(1).choice([-1.0, 0.0, 1.0], (len(universe) // 5 + 1, 1, 1))
    shape = (len(drawn), 5, len(universe.instruments))
    weights = np.broadcast_to(drawn, shape).reshape(-1, shape[-1])[: len(universe)]
    return simulate(universe, weights / shape[-1], Costs())


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Dossier:
    return research_universe(tmp_path_factory.mktemp("several"), 3)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Dossier:
    return research_universe(tmp_path_factory.mktemp("many"), MANY)


def curves_of(dossier: Dossier) -> Curves:
    assert dossier.curves is not None
    return dossier.curves


def test_correlations_are_those_of_returns_and_of_what_was_held() -> None:
    universe = make(3, common=0.6)
    run = trade(universe)
    figures = describe_instruments(universe, run)
    found = correlate_instruments(universe, run, figures)

    assert found is not None
    moves = universe.closes[1:] / universe.closes[:-1] - 1.0
    places = [universe.symbols.index(symbol) for symbol in found.symbols]
    expected = np.asarray(np.corrcoef(moves.T))[np.ix_(places, places)]
    assert np.array(found.returns, float) == pytest.approx(expected, abs=1e-3)
    earned = np.asarray(np.corrcoef((run.positions[:-1] * moves).T))[np.ix_(places, places)]
    assert np.array(found.contributions, float) == pytest.approx(earned, abs=6e-3)
    pairs = expected[np.triu_indices(3, 1)]
    assert found.mean_return == pytest.approx(pairs.mean(), abs=1e-3)


def test_of_many_those_that_contributed_most_are_correlated() -> None:
    universe = make(MANY, rows=200)
    run = trade(universe)
    figures = describe_instruments(universe, run)
    found = correlate_instruments(universe, run, figures)

    assert found is not None
    ranked = sorted(figures, key=lambda each: -abs(each.profit))[:MOST_CORRELATED]
    assert set(found.symbols) == {each.symbol for each in ranked}
    assert np.array(found.returns).shape == (MOST_CORRELATED, MOST_CORRELATED)


def test_one_instrument_has_no_correlations() -> None:
    universe = make(1)
    assert correlate_instruments(universe, trade(universe), []) is None


@pytest.mark.parametrize(("instruments", "points"), [(1, 1_000), (300, 200)])
def test_prices_are_thinned_to_what_a_figure_shows(instruments: int, points: int) -> None:
    universe = make(instruments, rows=1_500)
    curves = thin_prices(universe)
    assert [each.symbol for each in curves] == list(universe.symbols)
    for curve, bars in zip(curves, universe.instruments, strict=True):
        assert len(curve.bars) == len(curve.closes) == points
        assert curve.bars == sorted(set(curve.bars))
        assert (curve.bars[0], curve.bars[-1]) == (0, len(bars) - 1)
        assert curve.closes == pytest.approx(bars.close[curve.bars].tolist(), rel=1e-5)


def test_the_page_has_the_price_of_a_single_instrument(dossier: Dossier) -> None:
    curves = curves_of(dossier)
    [section] = choose_prices(curves)
    assert section.symbol == "NASDAQ"
    assert list(section.records) == curves.trades
    page = render_report(dossier)
    assert "<h2>Price with entries and exits</h2>" in page
    assert 'aria-label="Price of NASDAQ with entries and exits"' in page
    assert "<h2>Correlations on the holdout</h2>" not in page


def test_few_instruments_are_all_shown(several: Dossier) -> None:
    page = render_report(several)
    for symbol in several.input.data.symbols:
        assert f'aria-label="Price of {symbol} with entries and exits"' in page
    assert "?instrument=SYMBOL" not in page
    assert page.count('<table class="heat">') == 2
    cells = re.findall(r'title="(I\d+), (I\d+): ([^"]+)"', page)
    assert len(cells) == 2 * 9
    assert all(value == "1.00" for one, other, value in cells[:9] if one == other)


def test_of_many_instruments_the_page_shows_some_and_says_how_to_see_the_others(
    many: Dossier,
) -> None:
    page = render_report(many)
    assert f"Of {MANY} instruments, the 12 that earned or lost most are shown" in page
    assert page.count(' with entries and exits"') == 2 * 12
    assert f"The {MOST_CORRELATED} of {MANY}" in page
    assert len(page) < 1_500_000
    shown = {each.symbol for each in choose_prices(curves_of(many))}
    other = next(each for each in many.input.data.symbols if each not in shown)
    alone = render_instrument(many, other)
    assert f"<h1>{other}</h1>" in alone
    records = find_price(curves_of(many), other).records
    assert alone.count("<tr><td>") == len(records)
    assert {each.symbol for each in records} <= {other}


def test_an_instrument_that_is_not_there_is_refused(several: Dossier, dossier: Dossier) -> None:
    with pytest.raises(InvalidInput, match=r"'I00' is not .* did you mean I00") as said:
        render_instrument(several, "I00")
    assert said.value.field == "instrument"
    with pytest.raises(InvalidInput, match="There are none"):
        old = curves_of(dossier).model_copy(update={"prices": []})
        render_instrument(dossier.model_copy(update={"curves": old}), "NASDAQ")
    with pytest.raises(InvalidInput, match="ended at a gate"):
        render_instrument(dossier.model_copy(update={"curves": None}), "NASDAQ")


def test_reports_of_earlier_versions_have_neither(several: Dossier) -> None:
    old = curves_of(several).model_copy(update={"prices": [], "correlations": None})
    page = render_report(several.model_copy(update={"curves": old}))
    assert "Instruments on the holdout" in page
    assert "Correlations on the holdout" not in page
    assert "entries and exits" not in page


def test_stronger_correlations_have_stronger_colours() -> None:
    assert shade_correlation(1.0) == "rgba(214, 69, 69, 0.80)"
    assert shade_correlation(-0.5) == "rgba(47, 127, 214, 0.40)"
    assert shade_correlation(None).endswith("0.00)")
