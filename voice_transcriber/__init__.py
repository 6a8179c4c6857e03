"""Voice Transcriber: speech to text on the user's own machine."""

__version__ = "0.1.0"
