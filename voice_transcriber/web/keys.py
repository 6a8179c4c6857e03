"""Whether a key is the right one; who guesses is slowed down.

A wrong key is counted once however often it comes: a program with an old key is told so each
time, and takes nobody's tries away. An address that has none left gets no answer about a key,
right or wrong, until it has one again. Sessions go on.
"""

from __future__ import annotations

import hashlib
import math
import secrets
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from voice_transcriber.errors import KeyRequired, TooManyTries
from voice_transcriber.web.auth import is_key
from voice_transcriber.web.peers import peer_of

TRIES = 10
TRY_COMES_BACK_S = 30.0
REMEMBERED_KEYS = 16  # wrong ones, of one address
REMEMBERED_ADDRESSES = 10_000


@dataclass
class _Guesser:
    """What is known of one address."""

    tries: float = TRIES
    at: float = 0.0  # when `tries` was right; monotonic
    wrong: deque[bytes] = field(default_factory=lambda: deque(maxlen=REMEMBERED_KEYS))


class Keys:
    """Called from any thread; waits for nothing."""

    def __init__(
        self,
        api_key: str,
        *,
        on_wrong: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`on_wrong` is told the address of a wrong key that counted."""
        self._api_key = api_key
        self._on_wrong = on_wrong
        self._clock = clock
        self._salt = secrets.token_bytes(16)  # wrong keys are often right ones of other programs
        self._guessers: OrderedDict[str, _Guesser] = OrderedDict()
        self._lock = threading.Lock()

    def refusal(self, given: str, *, address: str) -> KeyRequired | TooManyTries | None:
        """What stands against a request with this key, empty for none; None: it is the right one,
        or the server needs none.
        """
        if not self._api_key:
            return None
        if not given:
            return KeyRequired()
        peer = peer_of(address)
        wait_s = self._wait_s(peer)
        if wait_s > 0:
            return TooManyTries(retry_after_s=math.ceil(wait_s))
        if is_key(given, self._api_key):
            return None
        if self._counts(peer, given):
            self._on_wrong(peer)
        return KeyRequired()

    def _wait_s(self, peer: str) -> float:
        """Seconds until the address has a try; 0 when it has one."""
        with self._lock:
            guesser = self._guessers.get(peer)
            if guesser is None:
                return 0.0
            self._give_back(guesser)
            return max(0.0, 1 - guesser.tries) * TRY_COMES_BACK_S

    def _counts(self, peer: str, given: str) -> bool:
        """Take a try, unless this wrong key came from there before."""
        digest = hashlib.sha256(self._salt + given.encode("utf-8", "surrogatepass")).digest()
        with self._lock:
            guesser = self._guessers.setdefault(peer, _Guesser(at=self._clock()))
            self._guessers.move_to_end(peer)
            if len(self._guessers) > REMEMBERED_ADDRESSES:
                self._guessers.popitem(last=False)
            if digest in guesser.wrong:
                return False
            guesser.wrong.append(digest)
            guesser.tries -= 1
            return True

    def _give_back(self, guesser: _Guesser) -> None:
        now = self._clock()
        guesser.tries = min(TRIES, guesser.tries + (now - guesser.at) / TRY_COMES_BACK_S)
        guesser.at = now
