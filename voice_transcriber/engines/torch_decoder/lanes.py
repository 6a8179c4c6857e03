"""One batch decoded in several lanes at once, each a thread with windows of its own.

A decoder's step is made of hundreds of short operations. Threads that share each of them wait for
each other at every one; threads that have windows of their own do not.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait

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
        self._this_thread = threading.local()
        self.between_steps: Callable[[], None] | None = None  # called by the first lane

    def decode(
        self,
        features: Tensor,
        prefix: Sequence[int],
        *,
        start: int,
        vocabulary: Vocabulary,
        options: SearchOptions,
        heard: Sequence[int],
    ) -> list[Found]:
        """As BatchDecoder.decode; the lanes take the windows in turns."""

        def decode(places: slice, between_steps: Callable[[], None] | None) -> list[Found]:
            return self._decoder.decode(
                features[places],
                prefix,
                start=start,
                vocabulary=vocabulary,
                options=options,
                heard=heard[places],
                between_steps=between_steps,
            )

        def decode_in_lane(number: int) -> list[Found]:
            torch.set_num_threads(self._threads // lanes)  # holds for the calling thread alone
            self._this_thread.is_lane = True
            return decode(slice(number, None, lanes), self.between_steps if number == 0 else None)

        lanes = self._lanes_for(len(features))
        if lanes == 1:
            return decode(slice(None), self.between_steps)
        running = [self._pool.submit(decode_in_lane, number) for number in range(lanes)]
        wait(running)  # one that failed does not leave the memory to the others
        found = [one.result() for one in running]
        return [found[index % lanes][index // lanes] for index in range(len(features))]

    def _lanes_for(self, windows: int) -> int:
        """What passes in the middle of a batch stays in its lane: the others are at work."""
        if getattr(self._this_thread, "is_lane", False):
            return 1
        return max(1, min(self._threads, windows // _WINDOWS_OF_A_LANE))
