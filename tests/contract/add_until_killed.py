"""A process to be killed: adds jobs from three threads and prints each id that was acknowledged.

Run as: python add_until_killed.py FOLDER
"""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path
from threading import Thread

from tests.contract.makers import Jobs
from voice_transcriber.store.sqlite import SqliteStore


def main() -> None:
    store = SqliteStore(Path(sys.argv[1]) / "jobs.sqlite3")

    def add(thread: str) -> None:
        jobs = Jobs(store)
        for number in count():
            job = store.add(jobs.new(id=f"{thread}-{number}"), max_queued=1_000_000)
            print(f"{job.id}\n", end="", flush=True)  # in one piece: three threads print

    for thread in "abc":
        Thread(target=add, args=[thread]).start()


main()
