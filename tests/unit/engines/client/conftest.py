"""A client whose hosts say what the test makes them say."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.running import until
from tests.unit.engines.scripted_host import Office


@pytest.fixture
def office(caplog: pytest.LogCaptureFixture) -> Iterator[Office]:
    caplog.set_level(logging.CRITICAL)  # the deaths of hosts are told
    office = Office()
    yield office
    office.client.stop()
    if office.hosts:
        until(lambda: not office.client.is_running)
