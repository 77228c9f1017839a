"""The report page: one self-contained HTML file."""

from collections.abc import Mapping
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from quant.learning.splits import SEARCH_FOLDS
from quant.messages.dossier import Dossier
from quant.messages.strategy import FeatureSpec
from quant.report import figures
from quant.report.glossary import TERMS
from quant.report.track_record import Record
from quant.wording import format_count

MISSING: Final = "\N{EN DASH}"
MINUS: Final = "\N{MINUS SIGN}"
# More rows would make the page tedious to scroll; `report.json` has them all.
_TRADES_SHOWN: Final = 500
_STRONGEST_MONTH: Final = 0.10


def render(dossier: Dossier) -> str:
    """Return the report as HTML. Equal dossiers give equal text on the same installation."""
    record = Record.of(dossier)
    return _page(
        "report.html.j2",
        dossier=dossier,
        inp=dossier.input,
        result=dossier.result,
        record=record,
        trades=dossier.curves.trades if dossier.curves else [],
        trades_shown=_TRADES_SHOWN,
        search_folds=SEARCH_FOLDS,
        performance=figures.performance(record),
        trials=Markup(figures.trials(dossier)) if dossier.trials else None,  # noqa: S704
        resampled=(
            Markup(figures.resampled(dossier))  # noqa: S704
            if dossier.resampled_sharpes
            else None
        ),
    )


def render_comparison(dossiers: list[Dossier], reports: Mapping[str, str] | None = None) -> str:
    """Return several researches side by side as HTML, the best deflated Sharpe ratio first.

    Args:
        dossiers: Of the researches.
        reports: Addresses of their reports by operation id, to link to.
    """
    ranked = sorted(
        dossiers,
        key=lambda each: -(each.result.statistics.deflated_sharpe if each.result.statistics else 0),
    )
    names = [f"{number}. {each.input.spec.name}" for number, each in enumerate(ranked, start=1)]
    records = {name: Record.of(dossier) for name, dossier in zip(names, ranked, strict=True)}
    benchmarks = {
        f"{each.input.data.symbol} {each.input.data.timeframe}, buy and hold": records[name]
        for name, each in zip(names, ranked, strict=True)
        if each.curves is not None
    }
    return _page(
        "comparison.html.j2",
        ranked=list(zip(names, ranked, strict=True)),
        figure=figures.comparison(records, benchmarks),
        reports=reports or {},
        missing=MISSING,
    )


def _page(template: str, **values: Any) -> str:
    environment = Environment(
        loader=PackageLoader("quant.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        percent=_percent,
        number=_number,
        moment=_moment,
        feature=_feature,
        shade=_shade,
        format_count=format_count,
        drawing=_drawing,
    )
    used: set[str] = set()

    def term(key: str, name: str | None = None) -> Markup:
        """Return the name of a figure with its definition on hover and one click away."""
        used.add(key)
        link = Markup('<a href="#{}" title="{}">{}</a>')
        return link.format(key, TERMS[key].meaning, name or TERMS[key].name)

    # The definitions stand at the end of a page, when it is known which ones it needs.
    return environment.get_template(template).render(terms=TERMS, used=used, term=term, **values)


def _percent(value: float | None, digits: int = 1) -> str:
    return MISSING if value is None else f"{value:z.{digits}%}".replace("-", MINUS)


def _number(value: float | None, digits: int = 2) -> str:
    return MISSING if value is None else f"{value:z,.{digits}f}".replace("-", MINUS)


def _moment(timestamp: str) -> str:
    """Shorten an ISO 8601 timestamp in UTC; midnight, as in daily bars, is left out."""
    date, _, time = timestamp.removesuffix("Z").partition("T")
    return date if time == "00:00:00" else f"{date} {time} UTC"


def _drawing(drawing: figures.Drawing, label: str) -> Markup:
    """Return a figure of which the page shows the variant that fits its width."""
    variant = Markup('<div class="{}" role="img" aria-label="{}">{}</div>')
    return Markup("\n").join(
        variant.format(width, label, Markup(svg))  # noqa: S704 - our own SVG
        for width, svg in drawing._asdict().items()
    )


def _feature(feature: FeatureSpec) -> str:
    return f"{feature.kind}({feature.period})"


def _shade(earned: float) -> str:
    """Return the colour of a month in the heat map: stronger for larger gains and losses."""
    strength = min(abs(earned) / _STRONGEST_MONTH, 1.0)
    colour = "63, 163, 77" if earned >= 0.0 else "214, 69, 69"
    return f"rgba({colour}, {0.75 * strength:.2f})"
