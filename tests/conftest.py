"""For every test: properties are tried on the same examples each time, however slow the machine."""

from hypothesis import settings

settings.register_profile("gate", derandomize=True, deadline=None, database=None)
settings.load_profile("gate")
