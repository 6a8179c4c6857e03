"""Whisper's text decoder for batches of windows with beams, on torch."""
