"""POST /api/v1/jobs/sample"""

from __future__ import annotations

from flask.testing import FlaskClient

from voice_transcriber.services import Services


def test_the_shipped_sample_becomes_a_job_for_the_demo_model(
    client: FlaskClient, services: Services
) -> None:
    answer = client.post("/api/v1/jobs/sample")
    assert answer.status_code == 202
    assert answer.json["model"] == "demo"
    job = services.store.get(answer.json["id"])
    assert services.blobs.path(job.blob_sha256).read_bytes() == services.sample.read_bytes()
