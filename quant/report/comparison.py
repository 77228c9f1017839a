"""Compares researches by their dossiers, without numerical libraries: the API does it, too."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from quant.messages.record.comparison import (
    FEWEST_COMMON_DAYS,
    POINTS_DRAWN,
    ComparedParameter,
    ComparedResearch,
    Comparison,
    DrawnCurve,
)
from quant.messages.report.curves import Curves, WalkForward
from quant.messages.report.dossier import Dossier

T = TypeVar("T")

_Value = str | int | float | None
_FOR_PEOPLE = {"name", "description"}
_DAY = len("2026-01-02")


def compare(dossiers: Sequence[Dossier]) -> Comparison:
    """Return researches side by side."""
    daily = [compound_daily(each) for each in dossiers]
    return Comparison(
        researches=[_summarise(each) for each in dossiers],
        parameters=compare_parameters(dossiers),
        correlations=[[_correlate(one, other) for other in daily] for one in daily],
        common_days=[[len(one.keys() & other.keys()) for other in daily] for one in daily],
    )


def compound_daily(dossier: Dossier) -> dict[str, float]:
    """Return the returns over walk-forward and holdout by day (UTC), at 1x cost."""
    growth: dict[str, float] = {}
    parts: list[WalkForward | Curves] = [dossier.walk_forward]
    if dossier.curves is not None:
        parts.append(dossier.curves)
    for part in parts:
        for timestamp, earned in zip(part.timestamps, part.returns, strict=True):
            day = timestamp[:_DAY]
            growth[day] = growth.get(day, 1.0) * (1.0 + earned)
    return {day: factor - 1.0 for day, factor in growth.items()}


def compare_parameters(dossiers: Sequence[Dossier]) -> list[ComparedParameter]:
    """Return the parameters of all researches by name, in the order of a strategy file."""
    found = [dict(_list_parameters(each)) for each in dossiers]
    names = dict.fromkeys(name for each in found for name in each)
    rows = ((name, [each.get(name) for each in found]) for name in names)
    return [
        ComparedParameter(name=name, values=values, differs=len(set(values)) > 1)
        for name, values in rows
    ]


def _correlate(one: Mapping[str, float], other: Mapping[str, float]) -> float | None:
    days = sorted(one.keys() & other.keys())
    if len(days) < FEWEST_COMMON_DAYS:
        return None
    try:
        return statistics.correlation([one[day] for day in days], [other[day] for day in days])
    except statistics.StatisticsError:
        return None  # One of them never traded.


def _list_parameters(dossier: Dossier) -> Iterator[tuple[str, _Value]]:
    research = dossier.input
    data = research.training.data
    yield "symbol", data.symbol
    yield "timeframe", data.timeframe
    yield "first bar", data.start
    yield "holdout from", data.holdout_start
    yield "last bar", data.end
    yield "seed", research.seed
    yield "candidates", research.design.trials if research.design else None
    spec = research.spec.model_dump(mode="json", exclude=_FOR_PEOPLE)
    for feature in research.spec.features:
        spec.setdefault("periods", {}).setdefault(feature.kind, []).append(str(feature.period))
    del spec["features"]
    yield from _flatten({"features": spec.pop("periods"), **spec})


def _flatten(values: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, _Value]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{path}{name}.")
        elif isinstance(value, list):
            yield f"{path}{name}", ", ".join(map(str, value))
        else:
            yield f"{path}{name}", value


def _summarise(dossier: Dossier) -> ComparedResearch:
    research, result = dossier.input, dossier.result
    data = research.training.data
    curves = dossier.curves
    return ComparedResearch(
        operation_id=research.operation_id,
        strategy=research.spec.name,
        symbol=data.symbol,
        timeframe=data.timeframe,
        verdict=result.verdict,
        trials_ever=research.trials_ever,
        statistics=result.statistics,
        holdout=research.backtest and research.backtest.get_level(1.0),
        walk_forward_curve=_draw(
            dossier.walk_forward.timestamps,
            dossier.walk_forward.equity,
            dossier.walk_forward.benchmark_equity,
        ),
        holdout_curve=curves
        and _draw(curves.timestamps, curves.equity["1x"], curves.benchmark_equity),
    )


def _draw(
    timestamps: Sequence[str], equity: Sequence[float], benchmark: Sequence[float]
) -> DrawnCurve:
    return DrawnCurve(
        timestamps=_thin(timestamps),
        equity=_thin(equity),
        benchmark_equity=_thin(benchmark),
    )


def _thin(values: Sequence[T]) -> list[T]:
    """Return evenly spaced values, with the first and the last."""
    if len(values) <= POINTS_DRAWN:
        return list(values)
    step = (len(values) - 1) / (POINTS_DRAWN - 1)
    return [values[round(each * step)] for each in range(POINTS_DRAWN)]
