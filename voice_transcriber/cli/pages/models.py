"""The manual pages and the arguments of `models`."""

from __future__ import annotations

from voice_transcriber.cli.pages.page import Commands, Page, add_group, add_page

GROUP = Page(
    summary="list, download or delete models",
    description="""
        Work on the models in WHISPER_MODEL_DIR. It may be done while a server runs: downloads of
        one model wait for each other, and a model in memory stays there when its file goes.
    """,
    examples=(("bring a model before the network goes", "{prog} download small"),),
)
LIST = Page(
    summary="list the models and which are on this machine",
    description="""
        List the models, those that can be downloaded and one's own: whether each is on this
        machine, the size of its file, the memory that it needs, and how many times faster than
        the recording it was here, once it has been used.
    """,
    examples=(("for another program", "{prog} --json"),),
)
DOWNLOAD = Page(
    summary="download models",
    description="""
        Download models; one that is there is left as it is. The file is checked by its published
        hash before it is used, and its path is printed. A download that broke off, or was ended
        by Ctrl-C, goes on from there the next time.
    """,
    examples=(("two models", "{prog} base turbo"),),
)
DELETE = Page(
    summary="delete downloaded models",
    description="""
        Delete the files of models, finished and partial. A later job that needs one downloads it
        again. One's own files cannot be downloaded again: they need --own.
    """,
    examples=(("make room", "{prog} large-v3"),),
)


def add(commands: Commands) -> None:
    group = add_group(commands, "models", GROUP)
    listing = add_page(group, "list", LIST, run="models:run_list")
    listing.add_argument("--json", action="store_true", help="print JSON")
    for name, page in (("download", DOWNLOAD), ("delete", DELETE)):
        parser = add_page(group, name, page, run=f"models:run_{name}")
        parser.add_argument("names", nargs="+", metavar="NAME", help="a name of `models list`")
        if name == "delete":
            parser.add_argument("--own", action="store_true", help="also one's own files")
