"""For every test: properties are tried on the same examples each time, however slow the machine,
and torch in the test's own process waits as it does in the engine child (engines/device.py).
"""

import os

from hypothesis import settings

os.environ["OMP_WAIT_POLICY"] = "passive"
settings.register_profile("gate", derandomize=True, deadline=None, database=None)
settings.load_profile("gate")
