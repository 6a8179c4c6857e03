"""What the settings page shows of each setting; a secret's value is never part of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from voice_transcriber.settings import SETTING_GROUPS, Origin, Setting, Settings, Source
from voice_transcriber.web.wording import duration, size

_PLACES = {
    Source.ENVIRONMENT: "the environment",
    Source.ENV_FILE: "the file .env",
    Source.SECRET_FILE: "the file that {variable}_FILE names",
}


@dataclass(frozen=True, kw_only=True)
class SettingRow:
    """One setting, in words."""

    name: str
    help: str
    value: str  # in use; empty when it is empty
    default: str
    origin: str | None  # where the value in use came from; None for the default


def setting_groups(settings: Settings) -> Mapping[str, Sequence[SettingRow]]:
    """Every row of the table, by group."""
    return {
        name: [_row(setting, settings) for setting in group]
        for name, group in SETTING_GROUPS.items()
    }


def _row(setting: Setting, settings: Settings) -> SettingRow:
    origin = settings.origins.get(setting.name)
    value = getattr(settings, setting.field_name)
    return SettingRow(
        name=setting.name,
        help=setting.help,
        value=_secret_text(value) if setting.secret else _text(setting, value),
        default="" if setting.secret else _default(setting),
        origin=_origin_text(setting, origin) if origin else None,
    )


def _secret_text(value: str) -> str:
    return "set" if value else ""


def _default(setting: Setting) -> str:
    return _text(setting, setting.parse(setting.default)) if setting.default else ""


def _text(setting: Setting, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return ", ".join(value)
    if isinstance(value, int) and setting.field_name.endswith("_bytes"):
        return size(value)
    if isinstance(value, float) and setting.field_name.endswith("_s"):
        return duration(value)
    return str(value)


def _origin_text(setting: Setting, origin: Origin) -> str:
    place = _PLACES[origin.source].format(variable=origin.variable)
    return place if origin.variable == setting.name else f"{place}, as {origin.variable}"
