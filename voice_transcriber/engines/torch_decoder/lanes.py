"""One batch decoded in several lanes at once, each a thread with windows of its own.

A decoder's step is made of hundreds of short operations. Threads that share each of them wait for
each other at every one; threads that have windows of their own do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from voice_transcriber.engines.torch_decoder.decoding import BatchDecoder, Found, SearchOptions
from voice_transcriber.engines.torch_decoder.rules import Vocabulary

_WINDOWS_OF_A_LANE = 4  # at least: every lane reads all the weights at every step


class Lanes:
    """As many as the processor's threads can use."""

    def __init__(self, decoder: BatchDecoder, *, threads: int) -> None:
        """`threads` is 1 where another device computes."""
        self._decoder = decoder
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="decoder-lane")

    def decode(
        self,
        features: Tensor,
        prefix: Sequence[int],
        *,
        start: int,
        vocabulary: Vocabulary,
        options: SearchOptions,
    ) -> list[Found]:
        """As BatchDecoder.decode; the lanes take the windows in turns."""

        def decode(lane: Tensor, threads: int | None = None) -> list[Found]:
            if threads is not None:
                torch.set_num_threads(threads)  # holds for the calling thread alone
            return self._decoder.decode(
                lane, prefix, start=start, vocabulary=vocabulary, options=options
            )

        lanes = max(1, min(self._threads, len(features) // _WINDOWS_OF_A_LANE))
        if lanes == 1:
            return decode(features)
        parts = [features[lane::lanes] for lane in range(lanes)]
        running = [self._pool.submit(decode, part, self._threads // lanes) for part in parts]
        found: list[Found | None] = [None] * len(features)
        for lane, one in enumerate(running):
            found[lane::lanes] = one.result()
        return [one for one in found if one is not None]
