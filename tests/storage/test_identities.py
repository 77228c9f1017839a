"""A market is recognised under every name, and its trials and looks count together."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from quant.bars.bars import Bars
from quant.bars.loader import load_bars
from quant.bars.sketch import sketch_bars
from quant.messages.data import DataSource
from storage.ledger.ledger import Ledger
from tests.storage.test_ledger import trial, trials_on

_DAY = 86_400 * 10**9
_HOUR = _DAY // 24


def of(symbol: str) -> Bars:
    return load_bars(DataSource(symbol=symbol), None)


def scaled(bars: Bars, factor: float) -> Bars:
    names = ("open", "high", "low", "close")
    return replace(bars, **{name: getattr(bars, name) * factor for name in names})


def weekly(bars: Bars) -> Bars:
    last = np.append(np.flatnonzero(np.diff((bars.timestamps // _DAY + 3) // 7)), len(bars) - 1)
    names = ("timestamps", "open", "high", "low", "close", "volume")
    chosen = {name: getattr(bars, name)[last] for name in names}
    return replace(bars, timeframe="1w", **chosen)


def changed(bars: Bars) -> Bars:
    close = bars.close.copy()
    close[1000] *= 1.001
    return replace(bars, close=close)


DISGUISES: dict[str, Callable[[Bars], Bars]] = {
    "another name": lambda bars: bars,
    "one bar changed": changed,
    "cut at the end": lambda bars: bars.slice(0, len(bars) - 40),
    "cut at the beginning": lambda bars: bars.slice(700, len(bars)),
    "scaled": lambda bars: scaled(bars, 0.1),
    "hours later": lambda bars: replace(bars, timestamps=bars.timestamps + 20 * _HOUR),
    "hours earlier": lambda bars: replace(bars, timestamps=bars.timestamps - 5 * _HOUR),
    "another timeframe": weekly,
    "another word for it": lambda bars: replace(bars, timeframe="24h"),
}


@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_disguised_market_is_recognised(ledger: Ledger, disguise: str) -> None:
    known = of("SP500")
    seen = ledger.identities.recognise(sketch_bars(known))
    ledger.trials.record("op_1", trials_on(known.describe().source, trial("a"), trial("b")))
    hidden = replace(DISGUISES[disguise](known), symbol="HIDDEN")

    found = ledger.identities.recognise(sketch_bars(hidden))

    source = hidden.describe().source
    assert found.identity == seen.identity
    assert found.names == tuple(sorted(("SP500 1d", f"HIDDEN {hidden.timeframe}")))
    assert ledger.identities.identify(source) == found
    assert ledger.trials.count(source) == 2
    ledger.trials.record("op_2", trials_on(source, trial("c")))
    assert ledger.trials.count(known.describe().source) == 3


def test_two_markets_stay_two(ledger: Ledger) -> None:
    first, second = (
        ledger.identities.recognise(sketch_bars(of(symbol))) for symbol in ("SP500", "NASDAQ")
    )
    assert first.identity != second.identity
    assert second.names == ("NASDAQ 1d",)


def test_weekly_bars_of_a_few_years_are_recognised_in_daily_ones(ledger: Ledger) -> None:
    bars = of("NASDAQ")
    few = replace(weekly(bars.slice(0, 800)), symbol="FEW")
    first = ledger.identities.recognise(sketch_bars(few))
    assert ledger.identities.recognise(sketch_bars(bars)).identity == first.identity


def test_identical_bars_under_a_second_name_that_then_grow_are_the_same_market(
    ledger: Ledger,
) -> None:
    bars = of("SP500")
    early = bars.slice(0, 4000)
    for symbol in ("SP500", "SECOND"):
        sketch = sketch_bars(replace(early, symbol=symbol))
        ledger.identities.recognise(sketch)
        ledger.trials.record("op_1", trials_on(sketch.data, trial("a")))
    grown = replace(bars.slice(0, 4100), symbol="SECOND").describe().source
    assert ledger.trials.count(grown) == 1


def test_growing_bars_leave_one_sketch(ledger: Ledger) -> None:
    bars = of("SP500")
    for count in (3000, 3100, 3200):
        ledger.identities.recognise(sketch_bars(bars.slice(0, count)))
    copied = replace(bars.slice(0, 3150), symbol="COPY")
    assert ledger.identities.recognise(sketch_bars(copied)).names == ("COPY 1d", "SP500 1d")


def test_a_look_expires_when_none_of_its_bars_is_left_in_the_holdout(ledger: Ledger) -> None:
    bars = of("SP500").slice(0, 2000)
    source = bars.describe().source
    ledger.identities.recognise(sketch_bars(bars))
    info = bars.describe()

    def look(name: str, traded: tuple[str, str] | None) -> None:
        ledger.looks.record("op", source, fingerprint=name, model_sha256=name, traded=traded)

    look("on the holdout", (info.holdout_start, info.end))
    look("long before", (info.start, "2000-01-01T00:00:00Z"))
    look("touches it", (info.start, info.holdout_start))
    look("of an earlier version", None)
    assert ledger.looks.count(source) == 3


def test_another_seed_is_not_another_look(ledger: Ledger) -> None:
    bars = of("SP500").slice(0, 2000)
    info = bars.describe()
    ledger.identities.recognise(sketch_bars(bars))
    for seed in range(8):
        ledger.looks.record(
            f"op_{seed}",
            info.source,
            fingerprint="a",
            model_sha256=f"its text names seed {seed}",
            traded=(info.holdout_start, info.end),
        )
    assert ledger.looks.count(info.source) == 1
