"""The manual page and the arguments of each command. Nothing heavy: `--help` is quick."""
