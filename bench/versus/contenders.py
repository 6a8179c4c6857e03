"""Who is measured, and with what. Nothing heavy is imported here: that is left to the worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec

from voice_transcriber.settings import SETTINGS

OURS = "ours"
SERVICE = "service"
BARE = "bare"
WHISPER = "openai-whisper"
FASTER = "faster-whisper"
BATCHED = ("batched-8", "batched-16")
WHISPER_CPP = ("whisper.cpp", "whisper.cpp-q8")
PEERS = (WHISPER, FASTER, *BATCHED, *WHISPER_CPP)

TITLES: Mapping[str, str] = {
    OURS: "ours, without the web",
    SERVICE: "ours, over HTTP",
    BARE: "our engine alone",
    WHISPER: "openai-whisper transcribe()",
    FASTER: "faster-whisper WhisperModel, int8",
    BATCHED[0]: "faster-whisper batched, int8, 8",
    BATCHED[1]: "faster-whisper batched, int8, 16",
    WHISPER_CPP[0]: "whisper.cpp, f16",
    WHISPER_CPP[1]: "whisper.cpp, q8_0",
}
_PACKAGES = (
    {WHISPER: "whisper", FASTER: "faster_whisper"}
    | dict.fromkeys(BATCHED, "faster_whisper")
    | dict.fromkeys(WHISPER_CPP, "pywhispercpp")
)

DEFAULT_OURS: Mapping[str, str] = {"ENGINE": "auto"}


@dataclass(frozen=True, kw_only=True)
class Contender:
    """`kind` is one of the names above; ours may be there more than once, with other settings."""

    name: str
    kind: str
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_ours(self) -> bool:
        return self.kind in (OURS, SERVICE, BARE)


def contenders(ours: Sequence[str], names: Sequence[str]) -> tuple[list[Contender], list[str]]:
    """Those that can run here in their order, and a sentence for each that cannot.

    `ours`: settings as parse_ours takes them; the service and the bare engine have the first ones.
    """
    variants = [parse_ours(text) for text in ours] or [
        Contender(name=OURS, kind=OURS, settings=DEFAULT_OURS)
    ]
    settings = variants[0].settings
    own = [
        *variants,
        Contender(name=SERVICE, kind=SERVICE, settings=settings),
        Contender(name=BARE, kind=BARE, settings=settings),
    ]
    found = [*own, *(Contender(name=name, kind=name) for name in PEERS)]
    wanted = [one for one in found if not names or one.kind in names]
    missing = {one.name: package for one in wanted if (package := _missing_package(one.kind))}
    reasons = [
        f"{name} is left out: the package {package} is not installed; "
        "python -m pip install -r requirements-bench.txt"
        for name, package in missing.items()
    ]
    return [one for one in wanted if one.name not in missing], reasons


def parse_ours(text: str) -> Contender:
    """`[NAME:]SETTING=VALUE,SETTING=VALUE`; with a name it is called ours-NAME."""
    name, colon, rest = text.partition(":") if ":" in text else ("", "", text)
    settings = {}
    for part in rest.split(","):
        setting, equals, value = part.strip().partition("=")
        if not equals or setting not in {one.name for one in SETTINGS}:
            raise SystemExit(f"--ours {text}: {part!r} is not SETTING=VALUE with a known setting.")
        settings[setting] = value
    return Contender(name=f"{OURS}-{name}" if colon else OURS, kind=OURS, settings=settings)


def title(contender: str, settings: Mapping[str, str]) -> str:
    """For people: a name of ours says what it computes with."""
    if contender in TITLES:
        return TITLES[contender]
    values = ", ".join(f"{name}={value}" for name, value in settings.items())
    return f"{TITLES[OURS]} ({values})"


def _missing_package(kind: str) -> str | None:
    package = _PACKAGES.get(kind)
    return package if package and find_spec(package) is None else None
