"""Trials and looks at a universe count on each of its instruments, and the other way round."""

import pytest

from quant.bars.sketch import sketch_bars
from quant.messages.data import DataSource
from quant.universe.universe import Universe
from storage.ledger.ledger import Ledger
from tests.storage.test_ledger import trial, trials_on
from tests.support.quant.universes import make_bars, make_closes

SYMBOLS = ("A", "B", "C", "D")
CLOSES = make_closes(900, len(SYMBOLS), 7)
BARS = {symbol: make_bars(symbol, CLOSES[:, number]) for number, symbol in enumerate(SYMBOLS)}


def source(*symbols: str) -> DataSource:
    return Universe.of([BARS[each] for each in symbols]).describe().source


def recognise(ledger: Ledger, data: DataSource) -> None:
    for symbol in data.instruments:
        ledger.identities.recognise(sketch_bars(BARS[symbol]))
    if data.symbols:
        universe = Universe.of([BARS[each] for each in data.symbols])
        ledger.identities.keep_universe(universe.describe())


@pytest.mark.parametrize("recognised", [False, True])
def test_the_trials_of_a_universe_count_wherever_it_shares_bars(
    ledger: Ledger, recognised: bool
) -> None:
    both = source("A", "B")
    ledger.trials.record("op", trials_on(both, trial("one"), trial("two")))
    if recognised:
        for data in (both, source("A"), source("B", "C"), source("C", "D")):
            recognise(ledger, data)

    for data in (both, source("A"), source("B"), source("B", "C"), source("A", "B", "C")):
        assert ledger.trials.count(data) == 2, data.symbol
    for data in (source("C"), source("C", "D")):
        assert ledger.trials.count(data) == 0, data.symbol


def test_the_trials_of_an_instrument_count_for_every_universe_that_has_it(ledger: Ledger) -> None:
    ledger.trials.record("op", trials_on(source("A"), trial("one")))

    assert ledger.trials.count(source("A", "B")) == 1
    assert ledger.trials.count(source("B", "C")) == 0


def test_an_instrument_under_another_name_counts_too(ledger: Ledger) -> None:
    both = source("A", "B")
    ledger.trials.record("op", trials_on(both, trial("one")))
    recognise(ledger, both)
    renamed = make_bars("RENAMED", CLOSES[:, 0])
    ledger.identities.recognise(sketch_bars(renamed))

    assert ledger.trials.count(renamed.describe().source) == 1


def test_a_look_at_a_universe_is_one_at_each_instrument(ledger: Ledger) -> None:
    both = source("A", "B")
    recognise(ledger, both)
    recognise(ledger, source("B"))
    ledger.looks.record(
        "op",
        both,
        fingerprint="one",
        model_sha256="model",
        traded=ledger.identities.get_holdout(both),
    )

    assert ledger.looks.count(both) == 1
    assert ledger.looks.count(source("B")) == 1
    recognise(ledger, source("B", "C"))
    assert ledger.looks.count(source("B", "C")) == 1
    recognise(ledger, source("C", "D"))
    assert ledger.looks.count(source("C", "D")) == 0


def test_a_universe_is_of_the_markets_of_all_its_instruments(ledger: Ledger) -> None:
    both = source("A", "B")
    assert ledger.identities.identify(both) is None
    recognise(ledger, both)

    found = ledger.identities.identify(both)

    assert found is not None
    assert found.names == ("A 1d", "B 1d")
    assert ledger.identities.knows(both)


def test_a_name_alone_finds_the_trials_of_a_universe(ledger: Ledger) -> None:
    ledger.trials.record("op", trials_on(source("A"), trial("one")))
    ledger.trials.record("op", trials_on(source("A", "B"), trial("two")))

    assert ledger.leaderboard.count("A,B", "1d")[0] == 2
