"""ENABLE_GPU_ACCELERATION: the same recording on the GPU and on the CPU."""

from __future__ import annotations

from pathlib import Path

import torch

from bench.app import running_app
from bench.tables import Bound
from bench.widen import write_widened

_WARM_UP, _SPEECH = "en_30s.flac", "en_5min.opus"


def gpu_bounds(folder: Path, *, audio: Path, size: str) -> list[Bound]:
    if not torch.cuda.is_available():
        print("gpu: left out, PyTorch sees no CUDA GPU here", flush=True)
        return []
    model = f"demo-{size}"
    write_widened(size, folder / "models" / f"{model}.pt")
    cpu_s, gpu_s = (_wall_s(folder, audio, model, setting) for setting in ("false", "true"))
    return [
        Bound(
            name=f"{_SPEECH}, {size} dimensions, on",
            measured=f"{gpu_s:.1f} s",
            limit=f"< {cpu_s:.1f} s, as off",
            kept=gpu_s < cpu_s,
            detail=torch.cuda.get_device_name(),
        )
    ]


def _wall_s(folder: Path, audio: Path, model: str, setting: str) -> float:
    wanted = "cuda" if setting == "true" else "cpu"
    with running_app(folder, ENABLE_GPU_ACCELERATION=setting) as app:
        app.wait(app.submit(audio / _WARM_UP, model=model, language="en"))
        job = app.wait(app.submit(audio / _SPEECH, model=model, language="en"))
    timings = job["timings"]
    assert timings["device"] == wanted, timings.get("note")
    return float(timings["wall_s"])
