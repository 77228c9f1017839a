"""What people write about experiments."""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from errors import ExperimentNotFound, InvalidInput
from storage.ledger.ledger import Ledger
from storage.ledger.records import MAX_TAGS, TagCount
from tests.storage.test_ledger import experiment


def ids(ledger: Ledger, **filters: Any) -> list[str]:
    found, total = ledger.experiments.find(limit=100, **filters)
    assert total == len(found)
    return [each.operation_id for each in found]


def test_a_note_and_tags_stay_when_a_resumed_research_is_recorded_again(ledger: Ledger) -> None:
    ledger.experiments.record(experiment(status="cancelled"))
    written = ledger.experiments.annotate("op_1", note="try longer", add_tags=["calm", "a"])
    assert (written.note, written.tags) == ("try longer", ("a", "calm"))
    ledger.experiments.record(experiment())
    found = ledger.experiments.get("op_1")
    assert found is not None
    assert (found.status, found.note, found.tags) == ("completed", "try longer", ("a", "calm"))
    [row], _ = ledger.experiments.find(limit=1)
    assert (row.note, row.tags) == ("try longer", ("a", "calm"))


def test_only_what_is_named_changes(ledger: Ledger) -> None:
    ledger.experiments.record(experiment())
    ledger.experiments.annotate("op_1", note="first", add_tags=["a", "b"])
    changed = ledger.experiments.annotate("op_1", add_tags=["b", "c"], remove_tags=["a", "x"])
    assert (changed.note, changed.tags) == ("first", ("b", "c"))
    changed = ledger.experiments.annotate("op_1", note="")
    assert (changed.note, changed.tags) == (None, ("b", "c"))


def test_too_many_tags_change_nothing(ledger: Ledger) -> None:
    ledger.experiments.record(experiment())
    ledger.experiments.annotate("op_1", add_tags=[f"t{each}" for each in range(MAX_TAGS)])
    with pytest.raises(InvalidInput, match="21 tags"):
        ledger.experiments.annotate("op_1", note="new", add_tags=["one-more"])
    found = ledger.experiments.get("op_1")
    assert found is not None
    assert (found.note, len(found.tags)) == (None, MAX_TAGS)
    ledger.experiments.annotate("op_1", add_tags=["one-more"], remove_tags=["t0"])


def test_writers_cannot_exceed_the_tags_together(ledger: Ledger) -> None:
    ledger.experiments.record(experiment())

    def write(number: int) -> None:
        with contextlib.suppress(InvalidInput):
            ledger.experiments.annotate("op_1", add_tags=[f"{number}-{each}" for each in range(6)])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(6)))
    found = ledger.experiments.get("op_1")
    assert found is not None
    assert len(found.tags) == 18


def test_nothing_is_written_about_what_does_not_exist(ledger: Ledger) -> None:
    with pytest.raises(ExperimentNotFound):
        ledger.experiments.annotate("op_1", add_tags=["a"])
    ledger.experiments.record(experiment())
    assert ids(ledger, tag="a") == []


def test_experiments_are_found_by_tag_and_text(ledger: Ledger) -> None:
    for name in ("op_1", "op_2", "op_3"):
        ledger.experiments.record(experiment(name))
    ledger.experiments.annotate("op_1", note="100% in Calm_years", add_tags=["calm"])
    ledger.experiments.annotate("op_2", add_tags=["calm", "small"])
    assert ids(ledger, tag="calm") == ["op_1", "op_2"]
    assert ids(ledger, tag="ca%") == []
    assert ids(ledger, text="calm_Y") == ["op_1"]
    # What means something to the database is text here.
    assert ids(ledger, text="0%") == ["op_1"]
    assert ids(ledger, text="calmXyears") == ids(ledger, text="%%") == []
    assert ids(ledger, text="OP_3") == ["op_3"]
    assert ids(ledger, text="sp500", tag="small") == ["op_2"]


def test_tags_are_counted_for_one_owner_or_all(ledger: Ledger) -> None:
    ledger.experiments.record(experiment())
    ledger.experiments.record(experiment("op_2").model_copy(update={"owner": "bob"}))
    ledger.experiments.annotate("op_1", add_tags=["z", "a"])
    ledger.experiments.annotate("op_2", add_tags=["z"])
    assert ledger.experiments.count_tags() == [
        TagCount(tag="z", experiments=2),
        TagCount(tag="a", experiments=1),
    ]
    assert ledger.experiments.count_tags(owner="bob") == [TagCount(tag="z", experiments=1)]
