"""One web page that needs nothing else: no script, an anchor for each segment."""

from __future__ import annotations

from html import escape

from voice_transcriber.transcript.exporters import clock
from voice_transcriber.transcript.exporters.clean import one_line
from voice_transcriber.transcript.exporters.export import Export
from voice_transcriber.transcript.model import Segment

_STYLE = """
:root { color-scheme: light dark; }
body { font: 1.05rem/1.6 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.4rem; line-height: 1.3; overflow-wrap: anywhere; }
p { margin: 0 0 .6rem; overflow-wrap: anywhere; }
p:target { outline: .15rem solid; outline-offset: .3rem; }
a { color: inherit; opacity: .7; margin-inline-end: .6rem; text-decoration: none;
  font-variant-numeric: tabular-nums; }
a:hover, a:focus-visible { text-decoration: underline; }
""".strip()

_HEAD = """<!doctype html>
<html{language}>
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}
</style>
</head>
<body>
<h1 dir="auto">{title}</h1>
<main>
"""
_FOOT = "</main>\n</body>\n</html>\n"


def render(export: Export) -> str:
    with_times = export.shows_times(usually=True)
    spoken = (one for one in export.transcript.segments if one_line(one.text))
    paragraphs = (
        _paragraph(number, segment, with_time=with_times)
        for number, segment in enumerate(spoken, 1)
    )
    return _head(export) + "".join(paragraphs) + _FOOT


def _head(export: Export) -> str:
    code = export.transcript.language
    return _HEAD.format(
        language=f' lang="{escape(code)}"' if code else "",
        title=escape(one_line(export.title)),
        style=_STYLE,
    )


def _paragraph(number: int, segment: Segment, *, with_time: bool) -> str:
    link = f'<a href="#s{number}">{_time(segment.start_ms)}</a>' if with_time else ""
    return f'<p id="s{number}" dir="auto">{link}{escape(one_line(segment.text))}</p>\n'


def _time(time_ms: int) -> str:
    duration = f"PT{time_ms // 1000}.{time_ms % 1000:03d}S"
    return f'<time datetime="{duration}">{clock.to_the_second(time_ms)}</time>'
