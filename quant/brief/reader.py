"""Reads a brief by the words that it knows: deterministic, in linear time, and never in error.

Everything that it does not know stays in `left`, so that nobody takes it for obeyed.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from quant.brief import words
from quant.brief.times import Named, NamedDays, NamedTimeframe, find_days, find_timeframes
from quant.messages.strategy import FeatureKind
from quant.wording import format_count

_MOST_PHRASES: Final = 20
_LONGEST_PHRASE: Final = 80
_SPACES: Final = re.compile(r"\s+")
_BREAKS: Final = re.compile(r"[,;:!?\"]|\.(?= |$)|\b(?:and|but|or)\b", re.IGNORECASE)
_WORDS: Final = re.compile(r"[^ ]+")
_NAMES: Final = re.compile(r"[$^]?[A-Za-z0-9][A-Za-z0-9&/.^=_-]{0,40}")
_NOT_LETTERS: Final = re.compile(r"[^A-Z0-9]")
_LIKE_A_SYMBOL: Final = re.compile(r"\$?(?=(?:[^A-Z]*[A-Z]){3})[A-Z0-9][A-Z0-9/.=^-]{2,31}")
_SHORTEST_NAME: Final = 2
# A shorter name that is written in other letters than the symbol is more likely an ordinary word.
_SHORTEST_LOOSE_NAME: Final = 6
_SHORTEST_LOOSE_NAME_WITH_DIGIT: Final = 4


@dataclass(frozen=True)
class NamedSymbol(Named):
    """A symbol of which bars exist."""

    symbol: str


@dataclass(frozen=True)
class Reading:
    """What is understood of a brief, and what is not.

    Attributes:
        text: The brief, with single spaces.
        symbols: Symbols of which bars exist, in their order.
        timeframes: Timeframes, in their order.
        days: Ranges of days, in their order.
        features: Kinds of features to choose from; empty if the brief says nothing about them.
        long_only: Whether short positions are ruled out.
        left: Words that were not understood, and thresholds, in their order.
    """

    text: str
    symbols: tuple[NamedSymbol, ...] = ()
    timeframes: tuple[NamedTimeframe, ...] = ()
    days: tuple[NamedDays, ...] = ()
    features: tuple[FeatureKind, ...] = ()
    long_only: bool = False
    left: tuple[str, ...] = ()

    def quote(self, named: Named) -> str:
        """Return the words of the brief."""
        return self.text[named.start : named.end]


def read_brief(text: str, symbols: Collection[str] = ()) -> Reading:
    """Read a brief.

    Args:
        text: The brief.
        symbols: Symbols of which bars exist.
    """
    text = _SPACES.sub(" ", text).strip()
    claims = _Claims()
    days = tuple(each for each in find_days(text) if claims.take(each))
    exact = [each for each in _find_symbols(text, symbols, exact=True) if claims.take(each)]
    timeframes = tuple(each for each in find_timeframes(text) if claims.take(each))
    thresholds = [
        span
        for found in words.THRESHOLD.finditer(text)
        if claims.is_free(span := Named(*found.span()))
    ]
    long_only = [Named(*found.span()) for found in words.LONG_ONLY.finditer(text)]
    features, excluded = _find_features(text, claims)
    for each in long_only:
        claims.take(each)
    for threshold in thresholds:
        claims.release(threshold)
    loose = [each for each in _find_symbols(text, symbols, exact=False) if claims.take(each)]
    named = sorted([*exact, *loose], key=lambda each: each.start)
    kinds = words.order_kinds(
        [kind for kind in features or words.ALL_KINDS if kind not in excluded]
    )
    return Reading(
        text=text,
        symbols=tuple(named),
        timeframes=timeframes,
        days=days,
        features=kinds if features or excluded else (),
        long_only=bool(long_only),
        left=tuple(_find_left(text, claims)),
    )


def is_like_a_symbol(word: str) -> bool:
    """Whether a word is probably meant as a symbol."""
    return _LIKE_A_SYMBOL.fullmatch(word) is not None


class _Claims:
    """Which characters of a text are understood."""

    def __init__(self) -> None:
        self._taken: set[int] = set()

    def is_free(self, named: Named) -> bool:
        """Whether none of these characters is claimed."""
        return self._taken.isdisjoint(range(named.start, named.end))

    def take(self, named: Named) -> bool:
        """Claim characters, unless one of them is claimed already."""
        if not self.is_free(named):
            return False
        self._taken.update(range(named.start, named.end))
        return True

    def release(self, named: Named) -> None:
        """Give characters back."""
        self._taken.difference_update(range(named.start, named.end))

    def get_rest(self, text: str, word: re.Match[str]) -> str:
        """Return what nobody claimed of a word. Marks alone are nothing."""
        places = range(*word.span())
        rest = "".join(text[place] for place in places if place not in self._taken)
        return rest.strip("-/'&+._*|[]" if "(" in rest.strip("(") else "-/'&+._*|[]()")


def _find_symbols(text: str, symbols: Collection[str], *, exact: bool) -> Iterator[NamedSymbol]:
    """Yield the symbols that the text names, as they are written or in other letters.

    `EUR/USD` names `EURUSD`, and `S&P 500` names `SP500`. An exact name has a capital or a digit.
    """
    if exact:
        known = {name: name for name in symbols if len(name) >= _SHORTEST_NAME}
    else:
        known = {_reduce(name): name for name in sorted(symbols) if _is_distinct(_reduce(name))}
    found = list(_NAMES.finditer(text))
    for place, name in enumerate(found):
        # The names that one or two words make. The longer one wins.
        for last in found[place : place + 2][::-1]:
            words_of_it = text[name.start() : last.end()].rstrip(".-=_/&")
            if exact and words_of_it in known and words_of_it != words_of_it.lower():
                symbol = known[words_of_it]
            elif not exact and words_of_it.lower() not in words.FILLERS:
                symbol = known.get(_reduce(words_of_it), "")
            else:
                symbol = ""
            if symbol:
                yield NamedSymbol(name.start(), name.start() + len(words_of_it), symbol)
                break


def _is_distinct(reduced: str) -> bool:
    """Whether no ordinary word is written like this name."""
    shortest = _SHORTEST_LOOSE_NAME if reduced.isalpha() else _SHORTEST_LOOSE_NAME_WITH_DIGIT
    return len(reduced) >= shortest


def _reduce(name: str) -> str:
    """Return the letters and digits of a name, as capitals."""
    return _NOT_LETTERS.sub("", name.upper())


def _find_features(text: str, claims: _Claims) -> tuple[list[FeatureKind], frozenset[FeatureKind]]:
    """Return the kinds that the text asks for, and those that it rules out."""
    wanted: list[FeatureKind] = []
    excluded: set[FeatureKind] = set()
    negations: list[Named] = []
    for found in words.FEATURES.finditer(text):
        if not claims.take(Named(*found.span())):
            continue
        if found["negation"]:
            excluded.update(words.get_kinds(found))
            negations.append(Named(*found.span()))
        else:
            wanted += words.get_kinds(found)
    if excluded.issuperset(wanted or words.ALL_KINDS):
        for each in negations:  # Nothing would be left to choose from, so these are not obeyed.
            claims.release(each)
        return wanted, frozenset()
    return wanted, frozenset(excluded)


def _find_left(text: str, claims: _Claims) -> list[str]:
    """Return the phrases that nobody claimed, each once. Marks and known words end a phrase."""
    phrases: dict[str, None] = {}
    begin = 0
    for mark in [*_BREAKS.finditer(text), None]:
        end = mark.start() if mark else len(text)
        phrases.update(dict.fromkeys(_find_phrases(text, begin, end, claims)))
        begin = mark.end() if mark else end
    found = [phrase[:_LONGEST_PHRASE] for phrase in phrases]
    more = len(found) - _MOST_PHRASES
    return [*found[:_MOST_PHRASES], format_count(more, "more phrase")] if more > 0 else found


def _find_phrases(text: str, begin: int, end: int, claims: _Claims) -> Iterator[str]:
    phrase: list[str] = []
    fillers: list[str] = []
    for word in _WORDS.finditer(text, begin, end):
        rest = claims.get_rest(text, word)
        if not rest:
            if phrase:
                yield " ".join(phrase)
            phrase, fillers = [], []
        elif rest.lower().removesuffix("'s") in words.FILLERS:
            fillers.append(rest)
        else:
            phrase += fillers if phrase else []
            phrase.append(rest)
            fillers = []
    if phrase:
        yield " ".join(phrase)
