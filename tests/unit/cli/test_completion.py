"""What Tab completes, asked of bash itself."""

import shutil
import subprocess

import pytest

from voice_transcriber.cli.arguments import build_parser
from voice_transcriber.cli.completion import COMMAND, completion_script
from voice_transcriber.cli.pages.program import SHELLS

ASK = """
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_shtab_voice_transcriber
echo "${COMPREPLY[@]}"
"""


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("jobs", "jobs"),
        ("jobs re", "retry"),
        ("transcribe --wo", "--word-timestamps"),
        ("transcribe --task tr", "transcribe translate"),
        ("transcribe READ", "README.md"),
    ],
)
def test_bash_completes(line: str, completed: str) -> None:
    script = completion_script(build_parser(COMMAND), "bash") + ASK
    command = ["bash", "-c", script, "bash", COMMAND, *line.split(" ")]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == completed


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_is_given_the_command(shell: str) -> None:
    script = completion_script(build_parser(COMMAND), shell)
    assert "app_main.py" in script
    assert "word-timestamps" in script
