"""Researches side by side, as data."""

import pytest

from quant.messages.record.comparison import POINTS_DRAWN
from quant.messages.report.curves import WalkForward
from quant.messages.report.dossier import Dossier
from quant.report.comparison import compare, compound_daily


def with_returns(dossier: Dossier, returns: list[float], *, per_day: int = 1) -> Dossier:
    """Return the dossier with these returns instead of its own, and without a holdout."""
    times = [
        f"{2000 + number // per_day // 336}-{number // per_day // 28 % 12 + 1:02}-"
        f"{number // per_day % 28 + 1:02}T{number % per_day:02}:00:00Z"
        for number in range(len(returns))
    ]
    curve = WalkForward(
        timestamps=times,
        equity=[1.0 + number for number in range(len(returns))],
        benchmark_equity=[1.0] * len(returns),
        returns=returns,
    )
    return dossier.model_copy(update={"walk_forward": curve, "curves": None})


def test_returns_within_a_day_are_compounded(dossier: Dossier) -> None:
    hourly = with_returns(dossier, [0.1, 0.1, -0.5, 1.0], per_day=2)
    assert compound_daily(hourly) == pytest.approx({"2000-01-01": 0.21, "2000-01-02": 0.0})


def test_both_parts_of_a_record_count(dossier: Dossier) -> None:
    assert dossier.curves is not None
    daily = compound_daily(dossier)
    assert len(daily) == len(dossier.walk_forward.returns) + len(dossier.curves.returns)
    last = dossier.curves.timestamps[-1][:10]
    assert daily[last] == pytest.approx(dossier.curves.returns[-1])


def test_returns_are_correlated_over_the_days_in_common(dossier: Dossier) -> None:
    rising = [0.001 * (each % 7) for each in range(100)]
    one = with_returns(dossier, rising)
    mirrored = with_returns(dossier, [-each for each in rising[:60]])
    compared = compare([one, mirrored, with_returns(dossier, [0.0] * 100)])
    assert compared.common_days == [[100, 60, 100], [60, 60, 60], [100, 60, 100]]
    assert compared.correlations[0][:2] == pytest.approx([1.0, -1.0])
    # One that never trades correlates with nothing.
    assert compared.correlations[2] == [None, None, None]
    few = compare([one, with_returns(dossier, rising[:29])])
    assert few.correlations[0] == [pytest.approx(1.0), None]


def test_parameters_stand_side_by_side_and_differences_are_marked(dossier: Dossier) -> None:
    spec = dossier.input.spec
    first = spec.features[0]
    other = spec.model_copy(
        update={
            "name": "other",
            "horizon": spec.horizon + 1,
            "features": (first, first.model_copy(update={"period": 250}), *spec.features[1:]),
        }
    )
    changed = dossier.model_copy(update={"input": dossier.input.model_copy(update={"spec": other})})
    rows = {row.name: row for row in compare([dossier, changed]).parameters}
    assert rows["horizon"].values == [spec.horizon, spec.horizon + 1]
    assert rows[f"features.{first.kind}"].values[1] == f"{first.period}, 250"
    different = {name for name, row in rows.items() if row.differs}
    assert different == {"horizon", f"features.{first.kind}"}
    assert rows["costs.commission"].values == [spec.costs.commission] * 2
    assert {"symbol", "seed", "model.num_leaves", "threshold"} <= rows.keys()


def test_a_long_curve_is_thinned_between_its_ends(dossier: Dossier) -> None:
    long = with_returns(dossier, [0.0] * 1001)
    [one, other] = compare([long, dossier]).researches
    curve = one.walk_forward_curve
    assert len(curve.timestamps) == len(curve.equity) == POINTS_DRAWN
    assert (curve.equity[0], curve.equity[-1]) == (1.0, 1001.0)
    assert one.holdout_curve is None
    assert other.holdout_curve is not None
