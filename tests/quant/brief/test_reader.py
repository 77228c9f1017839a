"""What is understood of a brief, and what is left."""

import time
from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from quant.brief.reader import Reading, is_like_a_symbol, read_brief
from quant.brief.words import ALL_KINDS, FAMILIES, list_families, order_kinds
from quant.messages.strategy import FeatureKind

SYMBOLS = ("SP500", "NASDAQ", "EURUSD", "BTC-USDT", "GOOD", "gold", "A", "IT")


def read(text: str) -> Reading:
    return read_brief(text, SYMBOLS)


def test_every_feature_belongs_to_a_family() -> None:
    assert sorted(ALL_KINDS) == sorted(get_args(FeatureKind))
    assert list_families(ALL_KINDS) == tuple(FAMILIES)


@pytest.mark.parametrize(
    ("brief", "families"),
    [
        ("something that works", []),
        ("Momentum, please", ["momentum"]),
        ("trends and trend-following", ["momentum"]),
        ("mean-reversion with high volume", ["mean reversion", "volume"]),
        ("VOLATILITY breakout", ["volatility"]),
        ("not only momentum", ["momentum"]),
        ("no momentum", ["mean reversion", "volatility", "volume"]),
        ("momentum without any volume", ["momentum"]),
    ],
)
def test_families_of_features(brief: str, families: list[str]) -> None:
    kinds = tuple(kind for family in families for kind in FAMILIES[family])
    assert read(brief).features == kinds


@pytest.mark.parametrize(
    ("brief", "kinds"),
    [
        ("RSI", ["rsi"]),
        ("an RSI-based strategy with MACD", ["macd", "rsi"]),
        ("mean reversion without Bollinger bands", ["rsi", "stochastic", "range_position"]),
        ("moving averages", ["sma_ratio", "ema_ratio"]),
        ("range_position and atr", ["range_position", "atr_ratio"]),
        ("controversial recursive estimations", []),
    ],
)
def test_single_indicators(brief: str, kinds: list[FeatureKind]) -> None:
    assert read(brief).features == order_kinds(kinds)


@pytest.mark.parametrize(
    ("brief", "symbols"),
    [
        ("mean reversion on EURUSD 1h", ["EURUSD"]),
        ("eur/usd, EUR/USD or eurusd", ["EURUSD"] * 3),
        ("the S&P 500", ["SP500"]),
        ("nasdaq against sp500", ["NASDAQ", "SP500"]),
        ("BTC/USDT and BTC_USDT.", ["BTC-USDT"] * 2),
        ("a good strategy, is it", []),
        ("GOOD", ["GOOD"]),
        ("A trend", []),
        ("XAUUSD", []),
    ],
)
def test_symbols_of_which_bars_exist(brief: str, symbols: list[str]) -> None:
    assert [named.symbol for named in read(brief).symbols] == symbols


@pytest.mark.parametrize(
    ("brief", "timeframes"),
    [
        ("EURUSD 1h", ["1h"]),
        ("Daily bars", ["1d"]),
        ("hourly or weekly", ["1h", "1w"]),
        ("15 minute bars, 4-hour bars, 2 days of data", ["15m", "4h"]),
        ("M15, H4 and 1D", ["15m", "4h", "1d"]),
        ("20-day momentum over 3 weeks", []),
        ("10 day bars", ["10d"]),
    ],
)
def test_timeframes(brief: str, timeframes: list[str]) -> None:
    assert [named.timeframe for named in read(brief).timeframes] == timeframes


@pytest.mark.parametrize(
    ("brief", "days"),
    [
        ("2015-2020", [("2015-01-01", "2020-12-31")]),
        ("from 2015 to 2020", [("2015-01-01", "2020-12-31")]),
        ("between 2015-03 and 2016-02", [("2015-03-01", "2016-02-29")]),
        ("2015-01-02 \N{EN DASH} 2018-06-30", [("2015-01-02", "2018-06-30")]),
        ("since 2012-03", [("2012-03-01", None)]),
        ("after 2012", [("2013-01-01", None)]),
        ("until 2019", [(None, "2019-12-31")]),
        ("before 2019-03-01", [(None, "2019-02-28")]),
        ("in 2015", [("2015-01-01", "2015-12-31")]),
        ("2020-2015", []),
        ("2015-02-31 to 2016", []),
        ("period 2000", []),
        ("0.2015-2020", []),
    ],
)
def test_days(brief: str, days: list[tuple[str | None, str | None]]) -> None:
    found = [
        tuple(day.isoformat() if day else None for day in (each.start_date, each.end_date))
        for each in read(brief).days
    ]
    assert found == days


@pytest.mark.parametrize(
    ("brief", "long_only"),
    [
        ("long only", True),
        ("Long-only momentum", True),
        ("we never short", True),
        ("without short positions", True),
        ("no short selling", True),
        ("long and short", False),
        ("only longer trends", False),
        ("prolong only", False),
    ],
)
def test_short_positions_can_be_ruled_out(brief: str, long_only: bool) -> None:
    assert read(brief).long_only is long_only


@pytest.mark.parametrize(
    ("brief", "left"),
    [
        ("mean reversion on EURUSD 1h, 2015-2020", []),
        ("Find a trend following strategy on daily bars of the S&P 500, long only.", []),
        ("buy when RSI<30, stop loss 5%", ["buy when RSI<30", "stop loss 5%"]),
        ("RSI(14) below 30 and take profit at 2 %", ["RSI(14) below 30", "take profit at 2 %"]),
        ("momentum/carry on XAUUSD, momentum/carry", ["carry on XAUUSD", "carry"]),
        ("asdf; asdf", ["asdf"]),
        ("no momentum, mean reversion", []),
        ("", []),
        (" \n ", []),
    ],
)
def test_what_is_not_understood_is_left(brief: str, left: list[str]) -> None:
    assert list(read(brief).left) == left


def test_features_cannot_all_be_ruled_out() -> None:
    nothing = read("no momentum, no mean reversion, no volatility, no volume")
    assert nothing.features == ()
    assert nothing.left == ("no momentum", "no mean reversion", "no volatility", "no volume")


def test_what_is_left_is_bounded() -> None:
    left = read(", ".join(f"word{number} {'x' * 200}" for number in range(50))).left
    assert len(left) == 21
    assert max(map(len, left)) == 80
    assert left[-1] == "30 more phrases"


def test_words_like_symbols() -> None:
    assert all(map(is_like_a_symbol, ("EURUSD", "EUR/USD", "BTC-USDT", "XAUUSD=X")))
    assert not any(map(is_like_a_symbol, ("EU", "Eurusd", "stop", "RSI<30", "500", "")))


@given(st.text(max_size=10_000))
@example("\N{DESERET CAPITAL LETTER LONG I}\x00")
def test_no_text_is_an_error(text: str) -> None:
    reading = read(text)
    assert read(text) == reading
    assert set(reading.features) <= set(ALL_KINDS)


PIECES = (
    "RSI < 30 ( ) , . - 2015 to 2020 no without a any momentum S&P 500 EUR/USD 1h is below 15 "
    "minute mean - reversion stop % moving average"
)


@given(st.lists(st.sampled_from(PIECES.split()), max_size=300).map(" ".join), st.booleans())
def test_known_words_in_any_order_are_no_error(text: str, joined: bool) -> None:
    reading = read(text.replace(" ", "") if joined else text)
    assert all(reading.quote(each) for each in (*reading.symbols, *reading.days))


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "1",
        "<",
        " ",
        ". ",
        "(",
        "2015-",
        "RSI < ",
        "no ",
        "no a a ",
        "S&P ",
        "is below ",
        "mean-",
        "moving average ",
        "RSI<30 ",
        "between 2015 and ",
        "A1-",
        "EURUSD/",
        "long ",
    ],
)
def test_the_time_is_bounded(piece: str) -> None:
    text = (piece * 10_000)[:10_000]
    began = time.process_time()
    read(text)
    assert time.process_time() - began < 1.0
