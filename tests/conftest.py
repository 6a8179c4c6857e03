"""For every test: properties are tried on the same examples each time, however slow the machine,
torch in the test's own process waits as it does in the engine child (engines/device.py), and
Ctrl-C reaches the programs that tests start, which a shell takes from what runs in the background.
"""

import os
import signal

from hypothesis import settings

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ["OMP_WAIT_POLICY"] = "passive"
settings.register_profile("gate", derandomize=True, deadline=None, database=None)
settings.load_profile("gate")
