"""Encoders that are no engine's own: each makes features that the engines' decoders take."""
