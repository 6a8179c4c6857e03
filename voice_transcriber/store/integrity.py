"""Whether a file is a sound database, found out without changing it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from voice_transcriber.store.connections import is_damage, open_reader, translated
from voice_transcriber.store.library import Database
from voice_transcriber.store.rows import text_sha256

_MAGIC = b"SQLite format 3\0"
_WRITE_VERSION_AT = 18  # 1 or 2; anything else makes SQLite take the file as read-only


def damage_of(path: Path) -> str | None:
    """What is wrong with a database's content; None when it is sound.

    Looks at every page, so it takes as long as reading the file. With its -wal beside it the
    state is checked that SQLite makes of both. Raises StorageRefuses when the disk cannot be
    read.
    """
    with translated():
        if damage := _damage_of_header(path):
            return damage
        try:
            return _damage_of_pages(path)
        except sqlite3.DatabaseError as error:
            if is_damage(error):
                return str(error)
            raise


def _damage_of_header(path: Path) -> str | None:
    with path.open("rb") as file:
        header = file.read(100)
    if not header:
        return "the file is empty"
    if not header.startswith(_MAGIC) or header[_WRITE_VERSION_AT] not in (1, 2):
        return "the file is not a database"
    return None


def _damage_of_pages(path: Path) -> str | None:
    with closing(open_reader(path)) as db:
        (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            return str(verdict)
        if broken := db.execute("PRAGMA foreign_key_check").fetchone():
            return f"a row of {broken[0]} belongs to none of {broken[2]}"
        return _damage_of_transcripts(db)


def _damage_of_transcripts(db: Database) -> str | None:
    """What no structure tells: a text whose bytes were altered."""
    if "checksum" not in db.table("transcripts").columns_dict:  # an older version's database
        return None
    db.conn.create_function("text_sha256", 1, text_sha256, deterministic=True)
    altered = db.execute(
        "SELECT job_id FROM transcripts WHERE text_sha256(content) <> checksum LIMIT 1"
    ).fetchone()
    return None if altered is None else f"the transcript of job {altered[0]} was altered"
