"""Measurements side by side: our text against whisper's own, our costs against the bounds."""

import os

# Read when torch is loaded. On a busy machine threads that spin while they wait stall each other,
# and whisper's own transcribe() would pay for that as our engine no longer does.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
