"""The page for people: one HTML file that needs nothing else."""

import platform
from importlib.metadata import version
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from quant import figures
from quant.curves import Curves
from quant.models import AssessmentInput, AssessmentResult
from quant.spec import FeatureSpec

# Those whose version can change a figure.
LIBRARIES: Final = ("arch", "jsharpe", "lightgbm", "numpy", "raptorbt", "ta-lib")
MISSING: Final = "\N{EN DASH}"
MINUS: Final = "\N{MINUS SIGN}"


def render(inp: AssessmentInput, result: AssessmentResult, curves: Curves | None) -> str:
    """Return the report as HTML. Equal arguments give equal text on the same installation.

    Args:
        inp: What was assessed.
        result: The outcome.
        curves: Content of `backtest.json`; None if a gate stopped the research before.
    """
    environment = Environment(
        loader=PackageLoader("quant"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(percent=_percent, number=_number, moment=_moment, feature=_feature)
    return environment.get_template("report.html.j2").render(
        inp=inp,
        result=result,
        curves=curves,
        figure=None if curves is None else figures.performance(curves),
        versions={"python": platform.python_version()}
        | {name: version(name) for name in LIBRARIES},
    )


def _percent(value: float | None, digits: int = 1) -> str:
    return MISSING if value is None else f"{value:.{digits}%}".replace("-", MINUS)


def _number(value: float | None, digits: int = 2) -> str:
    return MISSING if value is None else f"{value:,.{digits}f}".replace("-", MINUS)


def _moment(timestamp: str) -> str:
    """Shorten an ISO 8601 timestamp in UTC; midnight is left out, as of daily bars."""
    date, _, time = timestamp.removesuffix("Z").partition("T")
    return date if time == "00:00:00" else f"{date} {time} UTC"


def _feature(feature: FeatureSpec) -> str:
    return f"{feature.kind}({feature.period})"
