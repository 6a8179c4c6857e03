"""docs/reference/security.md tells each control with its tests, as the report does."""

from __future__ import annotations

import pytest

from tests.documents import PROJECT
from tests.faults.rows import SECURITY
from voice_transcriber.jobs.scanner import SCANS_AT_ONCE
from voice_transcriber.web.api_job_files import ARCHIVES_AT_ONCE
from voice_transcriber.web.audit import ACTIONS
from voice_transcriber.web.connection import Patience
from voice_transcriber.web.keys import TRIES, TRY_COMES_BACK_S

PAGE = (PROJECT / "docs/reference/security.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("number", SECURITY)
def test_a_control_stands_on_the_page(number: str) -> None:
    row = SECURITY[number]
    tests = ", ".join(f"`{name}`" for name in row.tests) or "-"
    assert f"| {number} | {row.what} | {tests} | {row.note or '-'} |" in PAGE.splitlines()


def test_the_figures_are_those_of_the_program() -> None:
    assert (TRIES, TRY_COMES_BACK_S) == (10, 30)
    assert "an address has ten tries; one comes back every 30 s" in PAGE
    patience = Patience()
    assert f"| {patience.headers_s:.0f} s |" in PAGE
    assert f"after the first {patience.body_grace_s:.0f} s" in PAGE
    assert f"{patience.body_bytes_per_s:.0f} bytes per second" in PAGE
    assert f"| {patience.reader_s:.0f} s |" in PAGE
    assert f"| {ARCHIVES_AT_ONCE}, else `busy`" in PAGE
    assert SCANS_AT_ONCE == 8
    assert "At most eight scans" in PAGE


@pytest.mark.parametrize("action", sorted(set(ACTIONS.values())))
def test_an_action_of_the_audit_log_is_told(action: str) -> None:
    assert f"`{action}`" in PAGE
