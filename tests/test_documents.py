"""What the documents say about the code is true of it."""

from tests.support.documents import rows_of
from tests.support.helpers import ROOT


def test_every_likely_fault_is_provoked_by_a_test() -> None:
    faults = rows_of("operations.md", "Troubleshooting")
    assert len(faults) == 10
    assert {len(row) for row in faults} == {4}, "fault, symptom, check, cure"
    provoked = rows_of("testing.md", "Faults")
    assert len(provoked) == len(faults)
    for test in (test for _, tests in provoked for test in tests.split(", ")):
        file, _, name = test.strip("`").partition("::")
        assert f"def {name}(" in (ROOT / file).read_text()
