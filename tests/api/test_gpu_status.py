"""GET /api/gpu-status"""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.running import until
from voice_transcriber.engines.checkpoints import DEMO_FILE
from voice_transcriber.engines.client import EngineClient
from voice_transcriber.engines.gpu_policy import GpuState, GpuStatus
from voice_transcriber.engines.protocol import LoadRequest
from voice_transcriber.services import Services


def told(client: FlaskClient) -> dict[str, Any]:
    answer = client.get("/api/gpu-status")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json
    return found


def test_before_the_first_job_it_is_not_known(client: FlaskClient) -> None:
    body = told(client)
    assert (body["state"], body["device"], body["since"]) == (None, None, None)
    assert "first job" in body["reason"]
    assert body["threshold"] == 0.9


def test_an_engine_that_runs_says_what_it_computes_on(
    client: FlaskClient, services: Services
) -> None:
    services.engine.call(LoadRequest(model="demo", checkpoint=str(DEMO_FILE)))
    until(lambda: services.engine.gpu)
    body = told(client)
    assert (body["state"], body["device"], body["reason"]) == ("cpu", "cpu", None)
    assert body["since"].endswith("Z")
    assert body["free_bytes"] is None


@pytest.mark.parametrize(
    ("state", "device"),
    [(GpuState.GPU, "cuda"), (GpuState.SMALL_BATCH, "cuda"), (GpuState.CPU, "cpu")],
)
def test_every_state_is_told_with_its_reason(
    client: FlaskClient, services: Services, state: GpuState, device: str
) -> None:
    assert isinstance(services.engine, EngineClient)
    services.engine.gpu = GpuStatus(state=state, reason="Because.", since=1_750_000_000.0)
    services.engine.gpu_free_bytes = 5_000
    body = told(client)
    assert (body["state"], body["device"], body["reason"]) == (state.value, device, "Because.")
    assert (body["since"], body["free_bytes"]) == ("2025-06-15T15:06:40.000Z", 5_000)


class TestWithAKey:
    @pytest.fixture
    def environment(self) -> dict[str, str]:
        return {"API_KEY": "a key that is long enough", "GPU_MEMORY_THRESHOLD": "0.75"}

    def test_it_is_told_to_those_who_have_it(self, client: FlaskClient) -> None:
        assert client.get("/api/gpu-status").status_code == 401
        headers = {"Authorization": "Bearer a key that is long enough"}
        assert client.get("/api/gpu-status", headers=headers).json["threshold"] == 0.75
