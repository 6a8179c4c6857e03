"""Asks the engine which language is spoken: in a recording, or in each part of a chunk."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from voice_transcriber.engines.protocol import LanguageReply, LanguageRequest
from voice_transcriber.job import Chunk, Window
from voice_transcriber.jobs.conversation import Conversation, OnError
from voice_transcriber.jobs.languages import Votes, elected, joined_windows, languages_in_turn

VOTERS = 3  # the first windows of speech vote for the language of a recording
AT_ONCE = 8  # windows in one request: other jobs' windows are decoded between two of them

OnElected = Callable[[str | None, float | None], None]  # None: not told
OnWindows = Callable[[list[Window]], None]


class LanguageQuestions:
    """Used by the thread that runs the job."""

    def __init__(
        self,
        talk: Conversation,
        *,
        request: Callable[[Chunk, Sequence[Window]], LanguageRequest],
        on_stages: Callable[[Mapping[str, float]], None],
    ) -> None:
        self._talk = talk
        self._request = request
        self._on_stages = on_stages

    def ask(
        self,
        chunk: Chunk,
        windows: Sequence[Window],
        on_elected: OnElected,
        on_error: OnError,
    ) -> None:
        """Name the one language of the recording whose speech begins with these windows, as far
        as the engine tells it.
        """

        def answer(reply: LanguageReply) -> None:
            self._on_stages(reply.stages_s)
            votes = [vote for vote in reply.votes if vote]
            language, probability = elected(votes) if votes else (None, None)
            on_elected(language, probability if reply.measured else None)

        self._talk.ask(self._request(chunk, windows[:VOTERS]), answer, on_error=on_error)

    def ask_each(
        self,
        chunk: Chunk,
        windows: Sequence[Window],
        before: str | None,
        on_windows: OnWindows,
        on_error: OnError,
    ) -> None:
        """Give each window its language, then join neighbours of one language.

        `before` is the language that was spoken before the chunk, if any.
        """

        def join(votes: list[Votes]) -> None:
            if not all(votes):  # an engine that names no language
                on_windows(list(windows))
                return
            on_windows(joined_windows(windows, languages_in_turn(votes, before=before)))

        self._ask_next(chunk, windows, [], join, on_error)

    def _ask_next(
        self,
        chunk: Chunk,
        windows: Sequence[Window],
        votes: list[Votes],
        on_votes: Callable[[list[Votes]], None],
        on_error: OnError,
    ) -> None:
        def answer(reply: LanguageReply) -> None:
            self._on_stages(reply.stages_s)
            self._ask_next(chunk, windows, [*votes, *reply.votes], on_votes, on_error)

        if len(votes) == len(windows):
            on_votes(votes)
            return
        asked = windows[len(votes) : len(votes) + AT_ONCE]
        self._talk.ask(self._request(chunk, asked), answer, on_error=on_error)
