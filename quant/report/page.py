"""The report page: one self-contained HTML file."""

from collections.abc import Mapping, Sequence
from typing import Final

from errors import InvalidInput
from quant.learning.splits import SEARCH_FOLDS
from quant.messages.report.curves import Curves
from quant.messages.report.dossier import Dossier
from quant.messages.watch import WatchRecord
from quant.report import figures
from quant.report.rendering import MISSING, Drawing, render_page
from quant.report.sections.instruments import (
    PriceSection,
    arrange_instruments,
    choose_prices,
    find_price,
)
from quant.report.svg import draw_both, draw_narrow
from quant.report.track_record import TrackRecord

# A longer table would be tedious to scroll; `report.json` has all trades.
_TRADES_SHOWN: Final = 500
# Height of the two figures that stand beside each other.
_SMALL: Final = 216
# A histogram of fewer shows nothing.
_FEWEST_RETURNS: Final = 20


def render_report(dossier: Dossier, watch: WatchRecord | None = None) -> str:
    """Return the report as HTML. On one installation, equal arguments give equal text.

    Args:
        dossier: What the report shows.
        watch: What came of its strategy since; None if it is not watched.
    """
    record = TrackRecord.from_dossier(dossier)
    return render_page(
        "report.html.j2",
        dossier=dossier,
        inp=dossier.input,
        result=dossier.result,
        record=record,
        trades=dossier.curves.trades if dossier.curves else [],
        trades_shown=_TRADES_SHOWN,
        tear_sheet=dossier.tear_sheet,
        instruments=arrange_instruments(dossier.curves.instruments) if dossier.curves else None,
        correlations=dossier.curves.correlations if dossier.curves else None,
        prices=_draw_prices(dossier.curves, choose_prices(dossier.curves))
        if dossier.curves
        else [],
        search_folds=SEARCH_FOLDS,
        watch=watch,
        evidence=(
            draw_both(figures.chart_watch(watch), 504, 216) if watch and watch.points else None
        ),
        returns=(
            draw_narrow(figures.chart_returns(record), _SMALL)
            if len(set(record.returns)) > _FEWEST_RETURNS
            else None
        ),
        performance=draw_both(figures.chart_performance(record), 504, 460),
        trials=draw_narrow(figures.chart_trials(dossier), _SMALL) if dossier.trials else None,
        resampled=(
            draw_narrow(figures.chart_resamples(dossier), _SMALL)
            if dossier.resampled_sharpes
            else None
        ),
    )


def render_instrument(dossier: Dossier, symbol: str) -> str:
    """Return the page of one instrument as HTML: its price with entries and exits, and its trades.

    Raises:
        InvalidInput: There is no such instrument, or an earlier version kept no prices.
    """
    curves = dossier.curves
    if curves is None:
        raise InvalidInput(
            f"instrument: the research ended at a gate, so {symbol!r} was not traded.",
            field="instrument",
        )
    section = find_price(curves, symbol)
    return render_page(
        "instrument.html.j2",
        inp=dossier.input,
        section=section,
        figures=next((each for each in curves.instruments if each.symbol == symbol), None),
        price=_draw_prices(curves, [section])[0][1],
    )


def _draw_prices(
    curves: Curves, sections: Sequence[PriceSection]
) -> list[tuple[PriceSection, Drawing]]:
    return [
        (
            each,
            draw_both(figures.chart_price(each.curve, curves.timestamps, each.records), 288, 216),
        )
        for each in sections
    ]


def render_comparison(dossiers: list[Dossier], reports: Mapping[str, str] | None = None) -> str:
    """Return researches side by side as HTML, the best deflated Sharpe ratio first.

    Args:
        dossiers: The researches to compare.
        reports: Links to their reports, by operation id; None for no links.
    """
    ranked = sorted(
        dossiers,
        key=lambda each: -(each.result.statistics.deflated_sharpe if each.result.statistics else 0),
    )
    names = [f"{number}. {each.input.spec.name}" for number, each in enumerate(ranked, start=1)]
    records = {
        name: TrackRecord.from_dossier(dossier) for name, dossier in zip(names, ranked, strict=True)
    }
    benchmarks = {
        f"{each.input.data.symbol} {each.input.data.timeframe}, {records[name].benchmark_name}": (
            records[name]
        )
        for name, each in zip(names, ranked, strict=True)
        if each.curves is not None
    }
    return render_page(
        "comparison.html.j2",
        ranked=list(zip(names, ranked, strict=True)),
        figure=draw_both(figures.chart_comparison(records, benchmarks), 324, 288),
        reports=reports or {},
        missing=MISSING,
    )
