"""What the brief of a research says, as values of its fields, and what of it has no effect.

The API applies a brief when it starts a research, so the workflow gets plain values. A workflow
that was started by hand applies it without knowing any bars; then its fields alone name them.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Generic, TypeVar

from errors import InvalidInput
from quant.brief import words
from quant.brief.reader import Reading, is_like_a_symbol, read_brief
from quant.brief.times import NamedDays
from quant.messages.data import MOST_INSTRUMENTS, Instruments
from quant.wording import join_names
from workflows.interface.messages import ResearchRequest

_LONGEST_QUOTE: Final = 80
_FIELDS_OF_BARS: Final = frozenset({"symbol", "timeframe", "start_date", "end_date"})


_Request = TypeVar("_Request", bound=ResearchRequest)


@dataclass(frozen=True)
class AppliedBrief(Generic[_Request]):
    """A request with the values that its brief names.

    Attributes:
        request: The request.
        reading: What the brief says.
        warnings: Sentences about what in the brief has no effect.
    """

    request: _Request
    reading: Reading
    warnings: tuple[str, ...]

    def require_effect(self, symbols: Collection[str]) -> None:
        """Refuse a brief of which a search could use nothing.

        Args:
            symbols: Symbols of which bars exist.

        Raises:
            InvalidInput: Nothing in the brief has an effect. The message lists the known words.
        """
        request, reading = self.request, self.reading
        if (
            request.brief is None
            or not _is_searched(request)
            or reading.features
            or reading.long_only
            or any(named.symbol in request.instruments for named in reading.symbols)
            or any(named.timeframe == request.timeframe for named in reading.timeframes)
            or any(_is_used(days, request) for days in reading.days)
        ):
            return
        raise InvalidInput(
            "brief: nothing of it is understood, or can be used: "
            f"'{reading.text[:_LONGEST_QUOTE]}'. "
            f"Known are {words.KNOWN_WORDS}. Bars exist for {join_names(symbols)}. Without a brief "
            "everything is searched; the designer `llm` reads any brief.",
            field="brief",
        )


def apply_brief(
    request: _Request, bars: Collection[tuple[str, str]] | None = None
) -> AppliedBrief[_Request]:
    """Take from the brief what the fields do not say.

    Args:
        request: The request.
        bars: Symbols and timeframes of which bars exist. None takes no bars from the brief.
    """
    if request.brief is None:
        return AppliedBrief(request, Reading(""), ())
    names = {request.symbol, *(symbol for symbol, _ in bars or ())}
    reading = read_brief(request.brief, names)
    given = _FIELDS_OF_BARS if bars is None else request.model_fields_set
    changes: dict[str, Any] = {}
    timeframe = request.timeframe if "timeframe" in given else None
    chosen = Instruments(symbol=request.symbol, symbols=request.symbols)
    if "symbol" not in given and reading.symbols:
        chosen = _choose_instruments(reading, bars or (), timeframe)
        changes |= {"symbol": chosen.symbol, "symbols": chosen.symbols}
    if timeframe is None:
        existing = _list_common_timeframes(chosen.instruments, bars or ())
        changes["timeframe"] = _choose_timeframe(reading, existing, request.timeframe)
    if not given & {"start_date", "end_date"}:
        changes |= _choose_days(reading)
    if _is_searched(request):
        changes["features"] = request.features or reading.features or None
        if request.long_only is None and reading.long_only:
            changes["long_only"] = True
    applied = request.model_copy(update=changes)
    warnings = *_find_unused_bars(applied, reading), *_find_unused_words(applied, reading)
    return AppliedBrief(applied, reading, warnings)


def _is_searched(request: ResearchRequest) -> bool:
    return request.designer == "search" and request.strategy is None


def _choose_instruments(
    reading: Reading, bars: Collection[tuple[str, str]], timeframe: str | None
) -> Instruments:
    """Return the symbols that the brief names, as a universe if there are bars of all in one.

    Args:
        reading: What the brief says; it names a symbol.
        bars: Symbols and timeframes of which bars exist.
        timeframe: The timeframe that is given; None if any will do.
    """
    named = tuple(dict.fromkeys(each.symbol for each in reading.symbols))[:MOST_INSTRUMENTS]
    common = _list_common_timeframes(named, bars)
    together = common if timeframe is None else common & {timeframe}
    return Instruments(symbols=named) if together else Instruments(symbol=named[0])


def _list_common_timeframes(
    symbols: Collection[str], bars: Collection[tuple[str, str]]
) -> set[str]:
    """Return the timeframes in which bars of all these symbols exist."""
    kept = [{timeframe for name, timeframe in bars if name == symbol} for symbol in symbols]
    return set.intersection(*kept)


def _choose_timeframe(reading: Reading, existing: Collection[str], default: str) -> str:
    """Return the first timeframe that the brief names and of which bars exist.

    If it names none and bars of the default do not exist, the only timeframe of the symbol is
    meant.
    """
    named = [each.timeframe for each in reading.timeframes if each.timeframe in existing]
    if named:
        return named[0]
    if reading.symbols and default not in existing and len(existing) == 1:
        [only] = existing
        return only
    return default


def _choose_days(reading: Reading) -> dict[str, date | None]:
    """Return the first range. If it is open, a later one may close it."""
    start_date, end_date = None, None
    for days in reading.days:
        start_date = start_date or (days.start_date if _fits(days.start_date, end_date) else None)
        end_date = end_date or (days.end_date if _fits(start_date, days.end_date) else None)
    return {"start_date": start_date, "end_date": end_date}


def _fits(start_date: date | None, end_date: date | None) -> bool:
    return start_date is None or end_date is None or start_date <= end_date


def _find_unused_bars(applied: ResearchRequest, reading: Reading) -> Iterator[str]:
    """Yield a sentence for each symbol, timeframe and range that is named and not used."""
    symbol, timeframe = applied.symbol, applied.timeframe
    is_one = "the symbols are" if applied.symbols else "the symbol is"
    for named in reading.symbols:
        if named.symbol not in applied.instruments:
            yield _say_unused(reading.quote(named), f"{is_one} {symbol}")
    for each in reading.timeframes:
        if each.timeframe != timeframe:
            yield _say_unused(reading.quote(each), f"the bars are those of {symbol} {timeframe}")
    for days in reading.days:
        if not _is_used(days, applied):
            yield _say_unused(reading.quote(days), f"the days are {_describe_days(applied)}")
    unknown = [word for phrase in reading.left for word in phrase.split() if is_like_a_symbol(word)]
    if unknown:
        yield f"No bars are known as {_quote(unknown)}; {is_one} {symbol}."


def _find_unused_words(applied: ResearchRequest, reading: Reading) -> Iterator[str]:
    """Yield sentences about words that a search does not know, or that its fields contradict."""
    if not _is_searched(applied):
        return  # A language model reads every word.
    unknown = [phrase for phrase in reading.left if not all(map(is_like_a_symbol, phrase.split()))]
    if unknown:
        yield f"Not understood in the brief, so without effect: {_quote(unknown)}."
    if any(words.RULE_WORDS.search(phrase) for phrase in reading.left):
        yield (
            "A research cannot obey rules, thresholds, stops or position sizes: a model decides "
            "what to hold."
        )
    if reading.features and applied.features != reading.features:
        yield "The features that the brief names have no effect: `features` says others."
    if reading.long_only and not applied.long_only:
        yield "`long only` in the brief has no effect: `long_only` is false."


def _is_used(days: NamedDays, applied: ResearchRequest) -> bool:
    start_date, end_date = days.start_date, days.end_date
    return start_date in (None, applied.start_date) and end_date in (None, applied.end_date)


def _say_unused(words_of_it: str, why: str) -> str:
    return f"'{words_of_it}' in the brief has no effect: {why}."


def _describe_days(days: ResearchRequest) -> str:
    if days.start_date is None and days.end_date is None:
        return "not limited"
    return f"{days.start_date or 'the first'} to {days.end_date or 'the last'}"


def _quote(phrases: Collection[str]) -> str:
    return ", ".join(f"'{phrase}'" for phrase in phrases)
