"""Measurements side by side: our text against whisper's own, our costs against the bounds."""
