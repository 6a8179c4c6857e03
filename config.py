"""The only reader of the environment: .env beneath the process's own variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from voice_transcriber.errors import ConfigurationError
from voice_transcriber.settings import SETTINGS, Settings, Source

PROJECT_DIR = Path(__file__).resolve().parent


def load_settings(
    environ: Mapping[str, str] = os.environ, env_file: Path = PROJECT_DIR / ".env"
) -> Settings:
    """Settings from `.env` and, above it, the environment; relative folders count from its folder.

    Raises ConfigurationError.
    """
    from_file = {name: value or "" for name, value in dotenv_values(env_file).items()}
    values = {**from_file, **environ}
    secrets = _secrets_from_files(values)
    sources = {
        **dict.fromkeys(from_file, Source.ENV_FILE),
        **dict.fromkeys(environ, Source.ENVIRONMENT),
        **dict.fromkeys(secrets, Source.SECRET_FILE),
    }
    return Settings.from_mapping({**values, **secrets}, base=env_file.parent, sources=sources)


def kill_at(environ: Mapping[str, str] = os.environ) -> str:
    """Where a test wants the program to die (voice_transcriber/kill_points.py); mostly nowhere."""
    return environ.get("KILL_AT", "")


def _secrets_from_files(values: Mapping[str, str]) -> dict[str, str]:
    """NAME_FILE names a file that holds the secret NAME (container secrets)."""
    secrets = {}
    for setting in SETTINGS:
        path = values.get(f"{setting.name}_FILE", "")
        if not setting.secret or not path:
            continue
        try:
            secrets[setting.name] = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not a text"
            raise ConfigurationError(
                f"{setting.name}_FILE names {path}, which cannot be read: {reason}.",
                remedy=f"Correct {setting.name}_FILE or the rights of that file.",
            ) from error
    return secrets
