"""The caller may not do this."""

from __future__ import annotations

from voice_transcriber.errors.base import TranscriberError


class AccessError(TranscriberError):
    """This is not allowed."""

    code = "access_denied"


class HostNotAllowed(AccessError):
    """The request names a host that this server does not answer for."""

    code = "host_not_allowed"
    default_remedy = (
        "Open the server by a name in ALLOWED_HOSTS, or add the name there and restart."
    )


class KeyRequired(AccessError):
    """This server needs an API key."""

    code = "key_required"
    default_remedy = "Send the key as 'Authorization: Bearer KEY', or sign in on the page."


class CrossSiteRequest(AccessError):
    """The request comes from another web site."""

    code = "cross_site_request"
    default_remedy = "Use this server's own page, or a program that sends the API key."
