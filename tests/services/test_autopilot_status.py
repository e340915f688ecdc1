"""The status of an autopilot is read as text, whichever JSON type its amounts of memory have."""

import pytest

from rsspot.services.nodepools.autopilot import AutopilotNodePoolStatus


@pytest.mark.parametrize(("sent", "read"), [("15", "15"), (15, "15"), (7.5, "7.5"), (None, None)])
def test_amounts_of_memory_may_be_text_or_numbers(sent, read):
    status = AutopilotNodePoolStatus.model_validate(
        {"managedMemoryGB": sent, "allocations": [{"serverClass": "c", "memoryGBPerNode": sent}]}
    )
    assert status.managed_memory_gb == read
    assert status.allocations[0].memory_gb_per_node == read
