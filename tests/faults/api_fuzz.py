"""The API under requests that are made from its own document, right ones and wrong ones."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hypothesis
import requests
import schemathesis
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import status_code_conformance

from tests.faults.server import Server

schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")

MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
TIMEOUT_S = 60.0
JOB = "job_id"
BUSY = frozenset({503, 507})


@dataclass
class Fuzz:
    """One run against one server."""

    address: str
    ids: Sequence[str]  # of jobs that exist
    web: requests.Session
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: dict[str, str] = field(default_factory=dict)  # what was wrong -> a request that shows it

    def operations(self) -> list[APIOperation]:
        document = self.web.get(f"{self.address}/api/openapi.json", timeout=TIMEOUT_S).json()
        schema = schemathesis.openapi.from_dict(document)
        return [result.ok() for result in schema.get_all_operations()]

    def try_out(
        self, operation: APIOperation, mode: GenerationMode, *, count: int, seed: int
    ) -> None:
        """At most `count` requests; some operations have few different ones."""

        @hypothesis.seed(seed)
        @hypothesis.settings(
            max_examples=count,
            derandomize=False,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @hypothesis.given(data=st.data())
        def one(data: st.DataObject) -> None:
            case = data.draw(operation.as_strategy(generation_mode=mode))
            if JOB in (case.path_parameters or {}) and data.draw(st.booleans()):
                case.path_parameters[JOB] = data.draw(st.sampled_from(self.ids))
            self._send(case)

        with suppress(Unsatisfiable):  # nothing about this operation can be wrong
            one()

    def _send(self, case: schemathesis.Case) -> None:
        answer = case.call(base_url=self.address, session=self.web, timeout=TIMEOUT_S)
        self.statuses[answer.status_code] += 1
        told = f"{case.method} {case.path}: {answer.status_code}"
        if answer.status_code >= 500 and answer.status_code not in BUSY:
            self.wrong.setdefault(told, case.as_curl_command())
        try:
            case.validate_response(answer, checks=[status_code_conformance])
        except (Failure, FailureGroup):
            self.wrong.setdefault(f"{told} is not in the document", case.as_curl_command())


def run(folder: Path, *, examples: int, recordings: Sequence[Path], seed: int) -> dict[str, Any]:
    """At least `examples` requests, shared among the operations; every other id is a real one."""
    server = Server(folder, OFFLINE="true", MAX_QUEUE_SIZE="50")
    try:
        server.start()
        ids = [job_id for path in recordings if (job_id := server.submit(path))]
        server.finish_all()
        with requests.Session() as web:
            web.trust_env = False
            fuzz = Fuzz(server.address, ids, web)
            operations = fuzz.operations()
            each = max(1, examples // (len(operations) * len(MODES)))
            rounds = itertools.count(seed)
            while fuzz.statuses.total() < examples:
                number = next(rounds)
                for operation, mode in itertools.product(operations, MODES):
                    fuzz.try_out(operation, mode, count=each, seed=number)
        alive = server.is_alive
        healthy = server.web.get("/health").status_code
        stopped = server.stop()
    finally:
        server.close()
    return {
        "operations": len(operations),
        "requests": fuzz.statuses.total(),
        "statuses": {str(status): count for status, count in sorted(fuzz.statuses.items())},
        "alive": alive,
        "health": healthy,
        "stop_status": stopped,
        "violations": [f"{name}\n{how}" for name, how in sorted(fuzz.wrong.items())],
    }
