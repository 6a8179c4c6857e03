"""The container's health check, run as it stands against the real server."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from voice_transcriber.services import Services
from voice_transcriber.web.server import Server

DOCKERFILE = (Path(__file__).parents[2] / "Dockerfile").read_text(encoding="utf-8")


def exit_status(port: int) -> int:
    (command,) = re.findall(r"^HEALTHCHECK .*\\\n +CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    program, *arguments = json.loads(command)
    assert program == "python"
    environment = os.environ | {"PORT": str(port)}
    ended = subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, check=False
    )
    return ended.returncode


def test_it_tells_a_server_that_works_from_one_that_ends(
    server: Server, services: Services
) -> None:
    services.start()
    assert exit_status(server.port) == 0
    services.drain()
    assert exit_status(server.port) != 0
