"""Child processes: how they start, how they talk, how they end with their parent."""
