"""Which engines a job may name, and whether their packages are here. Pure: nothing is imported."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec

from voice_transcriber.engines.compute import AUTO
from voice_transcriber.errors import EngineNotOffered

PACKAGES: Mapping[str, str] = {"openai-whisper": "whisper", "faster-whisper": "ctranslate2"}

IsInstalled = Callable[[str], bool]  # of a package, by the name that is imported


def is_installed(package: str) -> bool:
    return find_spec(package) is not None


def check_installed(engine: str, is_installed: IsInstalled = is_installed) -> None:
    """Raises EngineNotOffered for a name that no job may give, and where its package is missing."""
    if engine not in PACKAGES:
        raise EngineNotOffered(
            f"There is no engine {engine[:64]!r} that a job may name.",
            remedy=f"Give {' or '.join(PACKAGES)}, or leave the engine out.",
        )
    if not is_installed(PACKAGES[engine]):
        raise EngineNotOffered(
            f"The engine {engine} needs the package {PACKAGES[engine]}, which is not installed.",
            remedy="Install it (python -m pip install -r requirements.txt) and restart, "
            "or leave the engine out.",
        )


class OfferedEngines:
    """Those that jobs may name on this installation; any thread asks."""

    def __init__(self, own: str, *, is_installed: IsInstalled = is_installed) -> None:
        """`own` is what ENGINE says."""
        self._own = own
        self._is_installed = is_installed

    @property
    def names(self) -> Sequence[str]:
        """Empty where jobs are computed elsewhere, or not at all."""
        if not self._computes_here:
            return []
        return [name for name, package in PACKAGES.items() if self._is_installed(package)]

    def check(self, engine: str | None) -> None:
        """None, the installation's own, is always right. Raises EngineNotOffered."""
        if engine is None:
            return
        check_installed(engine, self._is_installed)
        if not self._computes_here:
            raise EngineNotOffered(
                f"A job cannot name its engine while ENGINE is {self._own}.",
                remedy="Leave the engine out, or set ENGINE to "
                f"{', '.join(PACKAGES)} or {AUTO} and restart.",
            )

    @property
    def _computes_here(self) -> bool:
        return self._own == AUTO or self._own in PACKAGES
