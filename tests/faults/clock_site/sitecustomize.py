"""Put on PYTHONPATH of the program whose clock is moved: its children keep the true clock.

libfaketime (0.9.10) lets time.sleep fail in Python 3.11, which waits until a moment of the
monotonic clock; the engine for tests sleeps, the program itself does not.
"""

import os

os.environ.pop("LD_PRELOAD", None)
