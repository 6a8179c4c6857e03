"""Turns any media file into 16 kHz mono PCM, in a child process. Parent side: no codecs here.

One folder holds one decode:

    audio.pcm    signed 16-bit samples without a header; grows while the child works
    audio.json   {"samples", "broken_parts", "sha256", "probe"}; there when audio.pcm is whole
    crashes      how often decoding it crashed, if it did
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Generator
from contextlib import closing, suppress
from dataclasses import asdict
from pathlib import Path

from voice_transcriber.audio.crashes import after_crash
from voice_transcriber.audio.probe import Probe
from voice_transcriber.audio.selection import Selection
from voice_transcriber.audio.supervise import NONSENSE, hear
from voice_transcriber.errors import DecoderCrashed, DiskFull, InternalError, TranscriberError
from voice_transcriber.files import FULL_ERRNOS, write_durably
from voice_transcriber.processes.channel import Message
from voice_transcriber.processes.spawn import Child, Spawner

CHILD_MODULE = "voice_transcriber.audio.decoder_child"
PCM_NAME = "audio.pcm"
REPORT_NAME = "audio.json"
SAMPLE_BYTES = 2
EVERYTHING = Selection()
SILENCE_S = 25.0  # a child reports some times a second, once it has found sound
PROBE_S = 25.0  # with the decode no more than a minute for a file that leads nowhere
LIFE_S = 600.0  # for any decode, and as long again as the longest recording lasts

log = logging.getLogger(__name__)


class Decoder:
    """Starts decoder children; built once, used by any thread."""

    def __init__(
        self, spawner: Spawner, *, max_duration_s: float, silence_s: float = SILENCE_S
    ) -> None:
        """A child from which nothing is heard for `silence_s` seconds is stopped."""
        self._spawner = spawner
        self._max_duration_s = max_duration_s
        self._silence_s = silence_s

    def probe(self, media: Path, selection: Selection = EVERYTHING) -> Probe:
        """What the file's header says.

        Raises EmptyFile or a MediaError, or InvalidRequest when the selection is not in the file;
        DecoderCrashed when another try may go better.
        """
        messages = list(self._hear(self._child("probe", selection, media), life_s=PROBE_S))
        try:
            return Probe(**messages[0]["probe"])
        except (IndexError, KeyError, TypeError) as error:
            raise DecoderCrashed(NONSENSE) from error

    def start(self, media: Path, folder: Path, selection: Selection = EVERYTHING) -> Decoding:
        """Decode into `folder`, which is made, in the background.

        What lies before the selection is a hole in `audio.pcm`, so a sample's number is its place
        in the media file. A folder is for one selection: a whole decode that lies there already is
        used; an incomplete one is begun anew. Raises DecoderCrashed when no child can be started.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        decoding = Decoding.from_report(folder)
        if decoding is not None:
            return decoding
        _remove_files(folder)
        child = self._child("decode", selection, media, folder / PCM_NAME)
        decoding = Decoding(folder, child)
        decoding.follow(self._hear(child, life_s=LIFE_S + self._max_duration_s))
        return decoding

    def _child(self, task: str, selection: Selection, media: Path, *outputs: Path) -> Child:
        paths = [str(path.absolute()) for path in (media, *outputs)]
        limit = repr(self._max_duration_s)
        chosen = json.dumps(asdict(selection))
        try:
            return self._spawner.start(CHILD_MODULE, [task, limit, chosen, *paths])
        except OSError as error:
            raise DecoderCrashed(f"The decoder could not be started: {error.strerror}.") from error

    def _hear(self, child: Child, *, life_s: float) -> Generator[Message]:
        return hear(child, silence_s=self._silence_s, life_s=life_s)


class Decoding:
    """One decode, running or whole. Thread-safe."""

    def __init__(self, folder: Path, child: Child | None = None) -> None:
        self.pcm = folder / PCM_NAME
        self._folder = folder
        self._child = child
        self._thread: threading.Thread | None = None
        self._changed = threading.Condition()
        self._probe: Probe | None = None
        self._samples = 0
        self._sha256: str | None = None
        self._finished = False
        self._started: float | None = None  # monotonic
        self._took_s = 0.0
        self._stopped = False
        self._failure: TranscriberError | None = None

    @classmethod
    def from_report(cls, folder: Path) -> Decoding | None:
        """The whole decode of a folder, or None when there is none."""
        try:
            report = json.loads((folder / REPORT_NAME).read_bytes())
            size_bytes = (folder / PCM_NAME).stat().st_size
        except (FileNotFoundError, ValueError):
            return None
        if size_bytes != report["samples"] * SAMPLE_BYTES:
            return None
        decoding = cls(folder)
        decoding._probe = Probe(**report["probe"])
        decoding._samples = report["samples"]
        decoding._sha256 = report.get("sha256")  # not in one of an older version
        decoding._finished = True
        return decoding

    @property
    def samples(self) -> int:
        """Up to which sample of the file `pcm` can be read by now."""
        return self._samples

    @property
    def finished(self) -> bool:
        """True once `pcm` is whole and durable; stays False when decoding failed."""
        return self._finished

    @property
    def sha256(self) -> str | None:
        """Of the selected samples, once decoding has finished."""
        return self._sha256

    @property
    def probe(self) -> Probe | None:
        """What the header says; known soon after the start."""
        return self._probe

    @property
    def took_s(self) -> float:
        """How long the child has worked; 0 when the decode lay there already."""
        if self._started is None or self._finished:
            return self._took_s
        return time.monotonic() - self._started

    @property
    def pid(self) -> int | None:
        """The child's process id while it lives."""
        if self._child is None or self._child.process.returncode is not None:
            return None
        return self._child.pid

    def wait(self, samples: int, timeout_s: float) -> bool:
        """Wait until so many samples can be read, or decoding has finished; False at the timeout.

        Raises what ended the decoding: EmptyFile, a MediaError, InvalidRequest (nothing is there
        of the selection), DiskFull, DecoderCrashed (another try may go better), or InternalError
        after stop(). The files are gone then.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._failure or self._has(samples), timeout_s)
            if self._failure is not None:
                raise self._failure
            return self._has(samples)

    def stop(self) -> None:
        """End the child and remove what it wrote; harmless when decoding has finished."""
        self._stopped = True
        if self._child is not None:
            self._child.kill()
        if self._thread is not None:
            self._thread.join()

    def follow(self, messages: Generator[Message]) -> None:
        """Keep up with the child's messages, in a thread of its own."""
        self._started = time.monotonic()
        self._thread = threading.Thread(
            target=self._follow, args=(messages,), name="decoding", daemon=True
        )
        self._thread.start()

    def _has(self, samples: int) -> bool:
        return self._finished or self._samples >= samples

    def _follow(self, messages: Generator[Message]) -> None:
        try:
            with closing(messages):
                for message in messages:
                    self._note(message)
                    if self._finished:  # final, however the child may end now
                        return
            raise DecoderCrashed("The decoder ended without a result.")
        except TranscriberError as error:
            self._fail(error)
        except OSError as error:
            full = error.errno in FULL_ERRNOS
            self._fail(DiskFull() if full else InternalError(str(error)))
        except Exception:
            log.exception("Reading from the decoder failed.")
            self._fail(DecoderCrashed(NONSENSE))

    def _note(self, message: Message) -> None:
        if "done" in message:
            report = {**message["done"], "probe": asdict(self._known_probe())}
            write_durably(self._folder / REPORT_NAME, json.dumps(report).encode())
        with self._changed:
            if "probe" in message:
                self._probe = Probe(**message["probe"])
            if "progress" in message:
                self._samples = message["progress"]["samples"]
            if "done" in message:
                self._sha256 = message["done"]["sha256"]
            self._took_s = self.took_s
            self._finished = "done" in message
            self._changed.notify_all()

    def _known_probe(self) -> Probe:
        if self._probe is None:
            raise InternalError("The decoder finished without a probe.")
        return self._probe

    def _fail(self, error: TranscriberError) -> None:
        with suppress(OSError):  # whoever waits must hear of the failure all the same
            _remove_files(self._folder)
        if isinstance(error, DecoderCrashed) and not self._stopped:
            error = after_crash(self._folder, error)
        with self._changed:
            self._failure = InternalError("Decoding was stopped.") if self._stopped else error
            self._changed.notify_all()


def _remove_files(folder: Path) -> None:
    for path in (folder / REPORT_NAME, folder / PCM_NAME, *folder.glob("*.part")):
        path.unlink(missing_ok=True)
