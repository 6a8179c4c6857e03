"""The transcript: its record, how windows are joined to it, and how it is written out."""
