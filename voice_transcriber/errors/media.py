"""The recording is at fault; never retried."""

from __future__ import annotations

from voice_transcriber.errors.requests import UserError


class MediaError(UserError):
    """The file cannot be turned into audio."""

    code = "media_error"


class NotMedia(MediaError):
    """The file is not audio or video of a kind that this program opens."""

    code = "not_media"
    default_remedy = "Send audio or video such as wav, mp3, m4a, mp4, webm, ogg, flac, mkv or mov."


class NoAudioTrack(MediaError):
    """The file has no sound track."""

    code = "no_audio_track"
    default_remedy = "Choose a file with sound; this one has pictures only."


class DamagedMedia(MediaError):
    """The file is damaged or incomplete and no sound could be read from it."""

    code = "damaged_media"
    default_remedy = "Copy or export the file again: it may have been cut off on the way."


class TooLong(MediaError):
    """The recording is longer than this server accepts."""

    code = "too_long"
    default_remedy = "Cut the recording into parts, or raise MAX_DURATION and restart."


class MediaTooCostly(MediaError):
    """Decoding the file took more memory or time than is allowed."""

    code = "media_too_costly"
    default_remedy = "Convert the file to a plain format such as wav or flac and send that."


class Infected(MediaError):
    """The virus scanner found something in the file; nothing was kept of it."""

    code = "infected"
    default_remedy = "Do not open the file; scan the machine that it comes from."
