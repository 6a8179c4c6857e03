"""Who may import whom: the table of the layers, held by a walk of all imports."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PACKAGE = "voice_transcriber"
MODULES = sorted([*PROJECT.glob("*.py"), *(PROJECT / PACKAGE).rglob("*.py")])

OPEN_TO_ALL = {"actors", "few", "errors", "files", "kill_points"}

BELOW_SERVICES = {
    "settings",
    "job",
    "submission",
    "transcript",
    "processes",
    "data_folder",
    "folder_report",
    "opening",
    "audio",
    "blobs",
    "store",
    "engines",
    "results",
    "jobs",
    "monitor",
    "webhooks",
}

MAY_IMPORT: Mapping[str, set[str]] = {
    "__init__": set(),
    "errors": set(),
    "files": set(),
    "actors": set(),
    "few": set(),
    "kill_points": set(),
    "job": set(),
    "submission": set(),
    "setting_values": set(),
    "settings": {"setting_values"},
    "transcript": set(),
    "processes": set(),
    "data_folder": set(),
    "logs": set(),
    "audio": {"job", "processes"},
    "blobs": {"settings"},
    "store": {"settings", "job", "submission", "transcript"},
    "engines": {"settings", "job", "transcript", "audio", "processes"},
    "results": {"job", "transcript", "store", "blobs"},
    "jobs": {
        "settings",
        "job",
        "submission",
        "transcript",
        "audio",
        "engines",
        "store",
        "blobs",
        "results",
        "processes",
    },
    "monitor": {"settings", "job", "jobs", "store", "processes"},
    "webhooks": {"settings", "job", "jobs", "store"},
    "opening": {"data_folder", "store"},
    "maintenance": {"data_folder", "store"},
    "folder_report": {"data_folder", "blobs", "store", "jobs"},
    "services": BELOW_SERVICES,
    "web": {"settings", "job", "submission", "transcript", "services"},
    "cli": {"settings", "job", "transcript", "data_folder", "maintenance", "services"},
    "app": {"settings", "services", "web"},
    "config": {"settings"},
    "app_main": {"config", "settings", "logs", "services", "app", "cli", "web"},
}

# Only services picks a concrete class; the others know contracts and pure parts.
ADAPTERS = {
    "blobs.local",
    "blobs.memory",
    "blobs.partial",
    "engines.fake",
    "engines.faster_whisper",
    "engines.openai_whisper",
    "store.memory",
    "store.sqlite",
}

HEAVY = {
    "av",
    "ctranslate2",
    "faster_whisper",
    "librosa",
    "llvmlite",
    "numba",
    "numpy",
    "openvino",
    "scipy",
    "silero_vad",
    "sklearn",
    "soundfile",
    "tiktoken",
    "torch",
    "whisper",
}

# Modules that are loaded only in the engine child and in the decoder child.
CHILD_SIDE = {
    "audio.chunk",
    "audio.level",
    "audio.media_file",
    "audio.pcm",
    "audio.vad",
    "engines.auto.engine",
    "engines.auto.measuring",
    "engines.auto.speech",
    "engines.aligned_words",
    "engines.auto.trials",
    "engines.base",
    "engines.device",
    "engines.encoders.base",
    "engines.encoders.openvino",
    "engines.encoders.openvino_package",
    "engines.ct2_convert",
    "engines.fake",
    "engines.faster_whisper",
    "engines.native_faults",
    "engines.planning",
    "engines.openai_whisper",
    "engines.torch_decoder.alignment",
    "engines.torch_decoder.decoding",
    "engines.torch_decoder.lanes",
    "engines.torch_decoder.linear",
    "engines.torch_decoder.memory",
    "engines.torch_decoder.network",
    "engines.torch_decoder.rules",
    "engines.torch_decoder.scoring",
    "engines.torch_decoder.search",
    "engines.torch_decoder.thinning",
    "engines.whisper_text",
    "engines.windows",
}


def name_of(path: Path) -> str:
    """Dotted name without the package: "store.sqlite", "errors", "config"."""
    parts = path.relative_to(PROJECT).with_suffix("").parts
    inside = parts[1:] if parts[0] == PACKAGE else parts
    return ".".join(inside).removesuffix(".__init__")


def imports_of(path: Path) -> Iterator[str]:
    """Every imported name, wherever the import stands in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own_imports_of(path: Path) -> Iterator[str]:
    for name in imports_of(path):
        top, _, rest = name.partition(".")
        if top == PACKAGE and not rest.startswith("__version__"):
            yield rest
        elif top in {"config", "app_main"}:
            yield name


def unit_of(name: str) -> str:
    return name.split(".", 1)[0]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_imports_only_what_its_row_allows(path: Path) -> None:
    unit = unit_of(name_of(path))
    allowed = MAY_IMPORT[unit] | OPEN_TO_ALL | {unit}
    assert {name for name in own_imports_of(path) if unit_of(name) not in allowed} == set()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_an_adapter_is_named_only_by_its_own_package_and_services(path: Path) -> None:
    unit = unit_of(name_of(path))
    adapters = {name for name in own_imports_of(path) if ".".join(name.split(".")[:2]) in ADAPTERS}
    assert {name for name in adapters if unit not in {"services", unit_of(name)}} == set()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_heavy_package_is_imported_only_on_the_childrens_side(path: Path) -> None:
    heavy = {name.split(".")[0] for name in imports_of(path)} & HEAVY
    assert heavy == set() or name_of(path) in CHILD_SIDE


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_flask_is_imported_only_by_web_and_app(path: Path) -> None:
    packages = {name.split(".")[0] for name in imports_of(path)}
    assert "flask" not in packages or unit_of(name_of(path)) in {"web", "app"}


def test_the_web_process_loads_no_heavy_package(tmp_path: Path) -> None:
    """At run time: what counts is what the program really loads, however it is imported."""
    program = """
import sys
from pathlib import Path
import app_main
from config import load_settings
from voice_transcriber.app import create_app
from voice_transcriber.services import Services
settings = load_settings({"DATA_DIR": sys.argv[1]}, Path(sys.argv[1], "no.env"))
create_app(settings, Services(settings))
print(*sorted({name.split(".")[0] for name in sys.modules}))
"""
    ended = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert set(ended.stdout.split()) & HEAVY == set()
