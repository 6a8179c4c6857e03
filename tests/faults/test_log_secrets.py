"""A whole run, with everything logged: neither a key nor a word of a recording is in any log."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.faults.server import Server
from tests.recordings import tone, write_wav

KEY = "canary-key-8d1f0c53b7a94e62"
WRONG_KEY = "canary-wrong-5a6be2f09c1d4738"
PROMPT = "canaryprompt"
HOTWORD = "canaryhotword"


def test_no_secret_and_no_text_reaches_a_log(tmp_path: Path) -> None:
    write_wav(tmp_path / "talk.wav", tone(20, pitch_hz=440))
    server = Server(tmp_path, LOG_LEVEL="DEBUG", LOG_PERFORMANCE_METRICS="true", API_KEY=KEY)
    server.start()
    base = f"http://127.0.0.1:{server.environ['PORT']}"
    with httpx.Client(base_url=base, trust_env=False, timeout=60) as web:
        web.get("/api/v1/jobs", headers={"Authorization": f"Bearer {WRONG_KEY}"})
        web.post("/login", data={"key": WRONG_KEY})
        assert web.post("/login", data={"key": KEY}).status_code == 303
        with (tmp_path / "talk.wav").open("rb") as file:
            job = web.post(
                "/api/v1/jobs",
                files={"file": file},
                data={"prompt": PROMPT, "hotwords": HOTWORD},
                headers={"Authorization": f"Bearer {KEY}"},
            ).json()
        words = _words(web, job["id"])
        web.get("/api/v1/jobs/export", params={"ids": job["id"], "formats": "txt,docx"})
        web.get(f"/jobs/{job['id']}")
        web.get("/%0d%0aforged", headers={"Accept": "text/html"})
        web.delete(f"/api/v1/jobs/{job['id']}")
    assert server.stop() == 0
    server.close()

    logs = [tmp_path / "server.log", *(server.data / "logs").iterdir()]
    written = "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in logs)
    assert "real_time_factor" in written or job["id"] in written  # there is a log to look into
    assert (server.data / "logs" / "server.log").stat().st_size > 0
    told = [secret for secret in (KEY, WRONG_KEY, PROMPT, HOTWORD) if secret in written]
    assert told == []
    assert [word for word in words if word in written] == []


def _words(web: httpx.Client, job_id: str) -> list[str]:
    """Runs of words of the finished text, which stand nowhere by chance."""
    while (job := web.get(f"/api/v1/jobs/{job_id}").json())["status"] in {"queued", "running"}:
        pass
    assert job["status"] == "completed", job
    segments = web.get(f"/api/v1/jobs/{job_id}/transcript.json").json()["segments"]
    texts = [segment["text"].strip() for segment in segments]
    assert len("".join(texts)) > 20
    return [text for text in texts if len(text) > 8]
