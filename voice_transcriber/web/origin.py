"""Who sent a request, and whether it is one that was sent before."""

from __future__ import annotations

import hashlib
import re

from flask import request

from voice_transcriber.errors import InvalidRequest
from voice_transcriber.submission import Origin
from voice_transcriber.web.context import services
from voice_transcriber.web.peers import is_on_this_machine, peer_of

KEY_HEADER = "Idempotency-Key"
KEY_DOCUMENTED = {
    KEY_HEADER: "A name of your own for this request: sent again within 24 h, it counts once."
}

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def request_origin() -> Origin:
    """Of the request that is being answered. Raises InvalidRequest."""
    key = request.headers.get(KEY_HEADER)
    if key is not None and not _KEY.fullmatch(key):
        raise InvalidRequest(
            f"The header {KEY_HEADER} is wrong.",
            remedy="Give 1 to 255 visible ASCII characters, such as a UUID.",
        )
    settings = services().settings
    return Origin(
        submitter=submitter(request.remote_addr or "", api_key=settings.api_key), request_key=key
    )


def submitter(address: str, *, api_key: str) -> str | None:
    """Whose jobs are counted together; None for a client on this machine."""
    if is_on_this_machine(address):
        return None
    if api_key:
        return f"key:{hashlib.sha256(api_key.encode()).hexdigest()[:16]}"
    return f"address:{peer_of(address)}"
