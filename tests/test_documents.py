"""What the documents say about the code is true of it."""

import re

from tests.support.helpers import ROOT


def rows_of(document: str, heading: str) -> list[list[str]]:
    """Return the first table under a heading, without its head."""
    section = (ROOT / "docs" / document).read_text().partition(f"\n## {heading}\n")[2]
    table = re.search(r"(?:^\|.*\n)+", section, re.MULTILINE)
    assert table is not None
    return [line.strip("| ").split(" | ") for line in table[0].splitlines()[2:]]


def test_every_likely_fault_is_provoked_by_a_test() -> None:
    faults = rows_of("operations.md", "Troubleshooting")
    assert len(faults) == 10
    assert {len(row) for row in faults} == {4}, "fault, symptom, check, cure"
    provoked = rows_of("testing.md", "Faults")
    assert len(provoked) == len(faults)
    for test in (test for _, tests in provoked for test in tests.split(", ")):
        file, _, name = test.strip("`").partition("::")
        assert f"def {name}(" in (ROOT / file).read_text()
