"""The deliberate faults of scripts/mutate fit the code as it is."""

from __future__ import annotations

import pytest

from mutation.fault import FaultNotApplicable
from mutation.faults import FAULTS
from mutation.run import ROOT


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_changes_one_place_and_names_tests_that_are_there(fault):
    assert fault.applied(ROOT) != (ROOT / "python/immersiverse/auth/events" / fault.file).read_text()
    assert [path for path in fault.tests if not (ROOT / "tests" / path).exists()] == []


def test_a_name_is_used_once():
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


def test_a_fault_that_no_longer_fits_is_an_error_that_says_so(tmp_path):
    with pytest.raises(FaultNotApplicable, match=r"found 0 times in .*; change the fault in tests/mutation"):
        FAULTS[0].applied(tmp_path)
