"""The manual pages and the arguments of `cache`."""

from __future__ import annotations

from voice_transcriber.cli.pages.page import Commands, Page, add_group, add_page

GROUP = Page(
    summary="show or forget the results that are kept for recordings that come again",
    description="""
        A recording that was transcribed before with the same options is answered at once from
        what was kept. Results go with the last job that they belong to; these commands show them,
        and let go of them earlier.
    """,
    examples=(("what is kept", "{prog} stats"),),
)
STATS = Page(
    summary="show how much is kept and how often it helped",
    description="Show how many results are kept, their size, and how many recordings were known.",
    examples=(("for another program", "{prog} --json"),),
)
CLEAR = Page(
    summary="forget kept results",
    description="""
        Forget all kept results, or those of the recordings of some jobs. Jobs keep their
        transcripts; a recording that is submitted again is computed again.
    """,
    examples=(("what is known of one recording", "{prog} ID"),),
)


def add(commands: Commands) -> None:
    group = add_group(commands, "cache", GROUP)
    stats = add_page(group, "stats", STATS, run="cache:run_stats")
    stats.add_argument("--json", action="store_true", help="print JSON")
    clear = add_page(group, "clear", CLEAR, run="cache:run_clear")
    clear.add_argument(
        "ids", nargs="*", metavar="ID", help="an ID of `jobs list`: only what is known of that"
    )
