"""Asks the engine which language is spoken: in a recording, or in each part of a chunk."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from voice_transcriber.engines.protocol import LanguageReply, LanguageRequest
from voice_transcriber.job import Chunk, Window
from voice_transcriber.jobs.conversation import Conversation
from voice_transcriber.jobs.languages import Votes, elected, joined_windows, languages_in_turn

VOTERS = 3  # the first windows of speech vote for the language of a recording
AT_ONCE = 8  # windows in one request: other jobs' windows are decoded between two of them

OnElected = Callable[[str, float], None]
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

    def ask(self, chunk: Chunk, windows: Sequence[Window], on_elected: OnElected) -> None:
        """Name the one language of the recording whose speech begins with these windows."""

        def answer(reply: LanguageReply) -> None:
            self._on_stages(reply.stages_s)
            on_elected(*elected(reply.votes))

        self._talk.ask(self._request(chunk, windows[:VOTERS]), answer)

    def ask_each(
        self, chunk: Chunk, windows: Sequence[Window], before: str | None, on_windows: OnWindows
    ) -> None:
        """Give each window its language, then join neighbours of one language.

        `before` is the language that was spoken before the chunk, if any.
        """

        def join(votes: list[Votes]) -> None:
            on_windows(joined_windows(windows, languages_in_turn(votes, before=before)))

        self._ask_next(chunk, windows, [], join)

    def _ask_next(
        self,
        chunk: Chunk,
        windows: Sequence[Window],
        votes: list[Votes],
        on_votes: Callable[[list[Votes]], None],
    ) -> None:
        def answer(reply: LanguageReply) -> None:
            self._on_stages(reply.stages_s)
            self._ask_next(chunk, windows, [*votes, *reply.votes], on_votes)

        if len(votes) == len(windows):
            on_votes(votes)
            return
        asked = windows[len(votes) : len(votes) + AT_ONCE]
        self._talk.ask(self._request(chunk, asked), answer)
