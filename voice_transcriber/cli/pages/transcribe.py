"""The manual page and the arguments of `transcribe`."""

from __future__ import annotations

import argparse

from voice_transcriber.cli.pages.page import COMMON_STATUS, Commands, Page, add_page
from voice_transcriber.errors import UnknownLanguage
from voice_transcriber.job import ENGINE_NAMES
from voice_transcriber.transcript.exporters import FORMATS
from voice_transcriber.transcript.languages import chosen_language
from voice_transcriber.transcript.times import seconds_of

MAX_PROMPT_CHARACTERS = 1_000  # as the API's

PAGE = Page(
    summary="transcribe files and write the transcripts beside them",
    description="""
        Transcribe recordings, audio or video, and write a file for each format asked for:
        talk.mp3 becomes talk.txt. The path of each written file is printed on stdout; progress,
        failures and the summary go to stderr.

        A FILE may also be a FOLDER, searched with its subfolders for recordings by their file
        endings, or a pattern such as 'talks/**/*.mp3'. With --output the transcripts go to that
        folder, in the subfolders that their recordings have below the FOLDER given.

        No existing file is written over: a recording whose transcripts all exist is skipped,
        which is no failure, so the same command again does what is new. --force replaces them.

        Where a server runs on the data folder, it does the work, and the jobs are seen on its
        page; otherwise this process does, and takes up what waits in the folder's queue too.
        The jobs leave the list when their files are written, and when a recording is at fault.
        One that the machine failed stays, and `jobs retry` goes on with what is finished of it.
        --keep leaves all in the list. Ctrl-C cancels what is not finished.
    """,
    examples=(
        ("one file, with the default model", "{prog} talk.mp3"),
        ("a German video, as text and subtitles", "{prog} -m small -l de -f txt,srt film.mp4"),
        ("every recording of a folder", "{prog} -o transcripts recordings/"),
        ("ten minutes in several languages", "{prog} -l multi --from 5:00 --to 15:00 talk.mp3"),
        ("to English, ahead of what waits", "{prog} --task translate --priority high rede.ogg"),
    ),
    exit_status={
        **COMMON_STATUS,
        1: "some recordings failed; stderr says why and what to do; the others are written",
        130: "ended by Ctrl-C or SIGTERM; what was not finished is cancelled",
    },
)


def add(commands: Commands) -> None:
    parser = add_page(commands, "transcribe", PAGE, run="transcribe:run")
    parser.add_argument("files", nargs="+", metavar="FILE", help="a file, a folder or a pattern")
    _add_speech_options(parser)
    _add_output_options(parser)
    parser.add_argument(
        "--priority",
        choices=("high", "normal", "low"),
        default="normal",
        help="place in the queue (default: normal)",
    )
    parser.add_argument("--keep", action="store_true", help="leave the jobs in the list")
    parser.add_argument(
        "-q", "--quiet", action="store_true", help="tell only of failures and written files"
    )


def _add_speech_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-m", "--model", metavar="NAME", help="a name of `models list` (default: DEFAULT_MODEL)"
    )
    parser.add_argument(
        "-l",
        "--language",
        metavar="LANGUAGE",
        type=_language,
        help="code or English name of the spoken language, or `multi`: each part of the recording"
        " has its own (default: it is detected)",
    )
    parser.add_argument(
        "--task",
        choices=("transcribe", "translate"),
        default="transcribe",
        help="write what is said, or translate it to English (default: transcribe)",
    )
    parser.add_argument(
        "--prompt",
        metavar="TEXT",
        type=_prompt,
        help="text that might have come before, at most 1000 characters",
    )
    parser.add_argument(
        "--hotwords",
        metavar="WORDS",
        type=_prompt,
        help="names and words that are likely to occur, commas between them",
    )
    parser.add_argument(
        "--word-timestamps", action="store_true", help="also the time of each word (format json)"
    )
    parser.add_argument(
        "--no-vad-filter",
        dest="vad_filter",
        action="store_false",
        help="decode every second, also where no speech was found",
    )
    parser.add_argument(
        "--from",
        dest="from_s",
        metavar="TIME",
        type=_time,
        default=0.0,
        help="only from here on: seconds, 1:30 or 1:02:03; times stay those of the file",
    )
    parser.add_argument("--to", dest="to_s", metavar="TIME", type=_time, help="only up to here")
    parser.add_argument(
        "--audio-track",
        metavar="N",
        type=_track,
        help="which sound track, from 0 (default: the first that can be read)",
    )
    parser.add_argument(
        "--engine",
        choices=ENGINE_NAMES,
        help="what computes the text (default: ENGINE)",
    )
    parser.add_argument(
        "--no-cache",
        dest="use_cache",
        action="store_false",
        help="compute anew, whatever is known of a recording",
    )


def _add_output_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-f",
        "--format",
        dest="formats",
        metavar="FORMATS",
        type=_formats,
        default=("txt",),
        help=f"one or more of {', '.join(FORMATS)}; commas between them (default: txt)",
    )
    parser.add_argument(
        "-o", "--output", metavar="FOLDER", help="where to write (default: beside each recording)"
    )
    parser.add_argument("--force", action="store_true", help="replace existing transcripts")


def _language(text: str) -> str | None:
    if text.strip().lower() in {"", "auto"}:
        return None
    try:
        return chosen_language(text)
    except UnknownLanguage as error:
        raise argparse.ArgumentTypeError(f"{error.message} {error.remedy}") from None


def _prompt(text: str) -> str | None:
    if len(text) > MAX_PROMPT_CHARACTERS:
        raise argparse.ArgumentTypeError(f"more than {MAX_PROMPT_CHARACTERS} characters")
    return text.strip() or None


def _time(text: str) -> float:
    try:
        return seconds_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _track(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0")
    return int(text)


def _formats(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip().lower() for name in text.split(",") if name.strip()))
    unknown = [name for name in names if name not in FORMATS]
    if unknown or not names:
        raise argparse.ArgumentTypeError(f"{text!r} is not of {', '.join(FORMATS)}")
    return names
