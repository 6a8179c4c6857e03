"""How a view reaches the parts that the application was built with."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import current_app

from voice_transcriber.web.feed import Feed
from voice_transcriber.web.keys import Keys

if TYPE_CHECKING:
    from flask import Flask

    from voice_transcriber.services import Services

_SERVICES = "voice_transcriber.services"
_FEED = "voice_transcriber.feed"
_KEYS = "voice_transcriber.keys"


def bind(app: Flask, services: Services) -> None:
    """Give the application its parts; called once by the factory."""
    app.extensions[_SERVICES] = services
    app.extensions[_FEED] = Feed(services)
    app.extensions[_KEYS] = Keys(
        services.settings.api_key,
        on_wrong=lambda peer: services.store.note("key.wrong", "", by=f"stranger {peer}"),
    )


def services() -> Services:
    return cast("Services", current_app.extensions[_SERVICES])


def keys_of(app: Flask) -> Keys:
    return cast(Keys, app.extensions[_KEYS])


def keys() -> Keys:
    return keys_of(current_app)


def feed() -> Feed:
    return cast(Feed, current_app.extensions[_FEED])
