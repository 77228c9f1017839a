"""The words that the reader of briefs knows, and what they stand for."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from quant.messages.strategy import FeatureKind

FAMILIES: Final[Mapping[str, tuple[FeatureKind, ...]]] = MappingProxyType(
    {
        "momentum": ("return", "sma_ratio", "ema_ratio", "macd", "adx"),
        "mean reversion": ("rsi", "bollinger", "stochastic", "range_position"),
        "volatility": ("volatility", "atr_ratio"),
        "volume": ("volume_ratio",),
    }
)
ALL_KINDS: Final = tuple(kind for kinds in FAMILIES.values() for kind in kinds)

# What people call a family or an indicator, as regular expressions. Longer names come first.
_NAMES: Final[tuple[tuple[str, tuple[FeatureKind, ...]], ...]] = (
    (r"momentum|trend(?:s|ing|[ -]follow(?:ing|er|ers)?)?", FAMILIES["momentum"]),
    (
        r"mean[ -]?rever(?:sion|t(?:s|ing)?)|revert(?:s|ing)?|reversions?|reversals?|contrarian"
        r"|oversold|overbought",
        FAMILIES["mean reversion"],
    ),
    (r"volatil(?:ity|e)|breakouts?", FAMILIES["volatility"]),
    (r"volumes?", FAMILIES["volume"]),
    (r"rsi|relative strength index", ("rsi",)),
    (r"macd", ("macd",)),
    (r"adx", ("adx",)),
    (r"bollinger(?: bands?)?", ("bollinger",)),
    (r"stochastics?", ("stochastic",)),
    (r"atr|average true range", ("atr_ratio",)),
    (r"donchian", ("range_position",)),
    (r"emas?|exponential moving averages?", ("ema_ratio",)),
    (r"smas?|simple moving averages?", ("sma_ratio",)),
    (r"moving averages?", ("sma_ratio", "ema_ratio")),
    *((kind, (kind,)) for kind in ALL_KINDS if "_" in kind),
)
_NEGATION: Final = (
    r"(?P<negation>\b(?:no|not|without|avoid|avoiding|except|excluding|never|ignore)"
    r"(?: (?:a|an|any|the|use|using|of)){0,2} )?"
)
FEATURES: Final = re.compile(
    _NEGATION
    + r"(?<![\w.])(?:"
    + "|".join(f"(?P<n{number}>{name})" for number, (name, _) in enumerate(_NAMES))
    + r")(?![\w])",
    re.IGNORECASE,
)
LONG_ONLY: Final = re.compile(
    r"\blong[ -]only\b|\bonly (?:go )?long\b"
    r"|\b(?:no|never|without) short(?:s|ing)?(?:[ -]sell(?:s|ing)?|[ -]sales?|[ -]positions?)?\b",
    re.IGNORECASE,
)
# An indicator with a threshold. The reader knows the indicator, but no rule can be obeyed.
THRESHOLD: Final = re.compile(
    r"(?:\b[A-Za-z]{2,20}(?:\(\d{1,4}\))? ?)?"
    r"(?:[<>\u2264\u2265]=?|\b(?:is )?(?:below|above|under|over|less than|more than|greater than))"
    r" ?-?\d[\d.,]{0,15}(?<![.,]) ?%?"
)
RULE_WORDS: Final = re.compile(
    r"[<>\u2264\u2265%]|\b(?:buy|sell|enter|exit|when|if|stop|stops|loss|profit|target|leverage"
    r"|risk|size|sizing|below|above)\b",
    re.IGNORECASE,
)
# Words that carry no wish of their own.
_FILLERS: Final = (
    "a an and any are as at bar bars based be by can candle candles chart data design designed do "
    "each find for from give go i in is it its let like look looking make me my of on only or our "
    "please research search seek should some strategies strategy symbol symbols system systems "
    "that the their them then there these this timeframe timeframes to trade trades trading try us "
    "use used uses using want we which window with you your"
)
FILLERS: Final = frozenset(_FILLERS.split())

KNOWN_WORDS: Final = (
    "momentum, trend; mean reversion, reversal, contrarian, oversold; volatility, breakout; "
    "volume; the indicators RSI, MACD, ADX, Bollinger, stochastic, ATR, Donchian, SMA, EMA and "
    "moving average; `no` or `without` before each of these; `long only`; the symbol of existing "
    "bars; a timeframe such as `1h`, `daily` or `15 minute`; days such as `2010-2020`, "
    "`since 2015` or `until 2019-06-30`"
)


def get_kinds(found: re.Match[str]) -> tuple[FeatureKind, ...]:
    """Return the kinds of features for a match of `FEATURES`."""
    [number] = [n for n in range(len(_NAMES)) if found[f"n{n}"] is not None]
    return _NAMES[number][1]


def order_kinds(kinds: Sequence[FeatureKind]) -> tuple[FeatureKind, ...]:
    """Return each kind once, in the order of the families."""
    return tuple(kind for kind in ALL_KINDS if kind in kinds)


def list_families(kinds: Sequence[FeatureKind]) -> tuple[str, ...]:
    """Return the families that these kinds belong to."""
    return tuple(name for name, members in FAMILIES.items() if set(members) & set(kinds))
