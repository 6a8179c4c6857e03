"""Each control of security, each mistake that is easy to make, and the tests that hold it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """`tests` are files below tests/, with ::name where one test says it."""

    what: str
    tests: tuple[str, ...] = ()
    note: str = ""  # why there is no test, or what it leaves open


LATER = "not in the program yet"

SECURITY: Mapping[str, Row] = {
    "S1": Row(
        "Foreign host names are refused before anything else, on every address",
        (
            "api/test_hosts.py",
            "api/test_server.py::test_a_foreign_host_is_refused",
            "api/test_open_addresses.py::test_a_foreign_host_gets_nothing_anywhere",
        ),
        note="the port is not compared: behind a tunnel or a port mapping it is another one",
    ),
    "S2": Row(
        "Loopback by default; listening beyond it needs a key, or the start is refused",
        (
            "faults/test_start.py::test_a_wrong_setting_is_named_with_its_remedy",
            "unit/test_settings.py",
        ),
    ),
    "S3": Row(
        "Requests that change something and come from other sites' pages are refused",
        ("api/test_cross_site.py",),
    ),
    "S4": Row(
        "GET changes nothing; no other site may read answers",
        (
            "api/test_cancel.py::test_get_changes_nothing",
            "api/test_open_addresses.py::test_a_key_does_not_open_a_get_that_changes",
            "api/test_open_addresses.py::test_no_address_lets_another_site_read",
        ),
    ),
    "S5": Row(
        "The key is compared in constant time; the session cookie is HttpOnly, SameSite=Strict and "
        "has a name of its own",
        ("api/test_login.py",),
        note="one key, which stands in the settings; several keys with scopes and expiry are not "
        "in the program yet",
    ),
    "S6": Row(
        "Guesses at the key are slowed down, by address; forwarded addresses are not believed",
        ("api/test_key_tries.py",),
        note="behind a proxy all clients have one address, and share its tries",
    ),
    "S7": Row(
        "Uploads that are too large are refused before they are read",
        ("api/test_server.py::test_a_body_over_the_limit_is_refused_before_it_is_sent",),
    ),
    "S8": Row("Quotas by user", note=f"{LATER}: there are no users; the queue is limited by key"),
    "S9": Row(
        "Names on the disk are made by the program; a client's file name is only shown",
        ("api/test_submit.py", "contract/test_blobs.py", "unit/transcript/test_file_names.py"),
    ),
    "S10": Row(
        "What a file is, its content decides; what is not media is refused",
        ("integration/test_bad_media.py",),
    ),
    "S11": Row(
        "The decoder knows a list of formats and reads no other file and no address",
        ("integration/test_bad_media.py", "faults/test_hostile_media.py"),
    ),
    "S12": Row(
        "Length is limited by the header and again while decoding",
        ("integration/test_decode.py",),
    ),
    "S13": Row(
        "Children have limits of memory, files and processor time, and rights taken away",
        ("integration/test_limits.py", "integration/test_sandbox.py"),
    ),
    "S14": Row(
        "Programs are started with lists of arguments, never by a shell",
        ("integration/test_bad_media.py",),
        note="and ruff's rules S602 and S605 in the gate",
    ),
    "S15": Row(
        "Archives",
        ("integration/test_bad_media.py",),
        note="the program opens none: they are refused as what is not media",
    ),
    "S16": Row("Addresses to fetch from, webhooks", note=LATER),
    "S17": Row("Programs that fetch media", note=LATER),
    "S18": Row("Signed webhooks", note=LATER),
    "S19": Row(
        "Names and texts are text in every page; scripts come from files of the server alone",
        ("browser/test_page.py", "api/test_pages.py"),
    ),
    "S20": Row(
        "Every export escapes what its format gives a meaning",
        ("unit/transcript/test_exporters.py", "api/test_transcript.py"),
    ),
    "S21": Row(
        "Recordings are served with an exact audio type and nosniff, or as a download",
        ("api/test_audio.py",),
    ),
    "S22": Row(
        "A search is for literal text; no client's pattern is run",
        ("contract/test_store_lists.py",),
    ),
    "S23": Row(
        "Model files: hashes of downloads, no code in weights, no path from a client",
        (
            "integration/test_model_download.py",
            "contract/test_engine.py::test_a_file_that_holds_a_program_is_damaged_and_the_"
            "program_is_not_run",
        ),
    ),
    "S24": Row(
        "Every value is a parameter of its SQL statement", ("contract/test_store_lists.py",)
    ),
    "S25": Row(
        "Answers hold no traceback and no secret",
        ("api/test_problems.py",),
    ),
    "S26": Row(
        "Logs hold no secret and no text, nobody can forge a line, and they do not grow for ever",
        ("faults/test_log_secrets.py", "unit/test_logs.py"),
    ),
    "S27": Row(
        "An audit log with numbers and a chain of hashes, written with the change it tells of",
        ("contract/test_store_audit.py", "api/test_audit.py"),
        note="who can write to the database can make a whole new chain: keep the newest hash "
        "elsewhere",
    ),
    "S28": Row(
        "Ambiguous requests are refused",
        ("api/test_smuggling.py", "api/test_server.py"),
        note="asked directly; not through a proxy",
    ),
    "S29": Row(
        "A lock with hashes, a list of what is inside, an audit",
        ("unit/test_lock.py",),
        note="the container and GPU installations take the pinned versions without hashes; "
        "`make audit` needs the network, so the gate does not run it",
    ),
    "S30": Row("Messages between workers without pickle", note=f"{LATER}: one process"),
    "S31": Row(
        "Files for their owner alone; the container without root on a read-only disk",
        (
            "contract/test_blobs.py",
            "unit/store/test_store_writer.py",
            "unit/store/test_store_migrations.py",
            "unit/test_container.py",
            "faults/test_file_modes.py",
        ),
    ),
    "S32": Row(
        "Backups are as protected as the data, and what is deleted leaves them",
        ("unit/store/test_store_integrity.py", "integration/test_recovery.py"),
        note="a deleted text stays in the copies made before, until these are too old",
    ),
    "S33": Row(
        "Limits of headers, JSON, forms, pages and lists",
        (
            "api/test_submit.py",
            "api/test_list.py",
            "api/test_smuggling.py::test_headers_have_a_limit",
            "faults/test_api_fuzz.py",
        ),
    ),
    "S34": Row("A matrix of the common requirements and their tests", note="this table"),
    "S35": Row(
        "What is open without the key tells nothing",
        ("api/test_open_addresses.py", "api/test_login.py", "api/test_api_docs.py"),
    ),
}

PITFALLS: Mapping[str, Row] = {
    "uploads": Row(
        "The body is limited before it is read and has at most two copies on the disk; large files "
        "come in pieces that survive a lost connection",
        (
            "api/test_server.py",
            "api/tus/test_protocol.py",
            "api/tus/test_keeping.py",
            "api/tus/test_room.py",
            "faults/test_uploads.py",
        ),
    ),
    "threads": Row(
        "Players that stand still and slow readers hold no thread",
        ("api/test_audio.py", "faults/test_slow_clients.py"),
    ),
    "connections": Row(
        "More than a thousand connections, and slow clients, leave the server usable",
        (
            "api/test_connection_limit.py",
            "api/test_slow_clients.py",
            "faults/test_slow_clients.py",
            "faults/test_faults.py",
        ),
    ),
    "SQLite": Row(
        "One writer that alone moves the log; nobody meets a locked database",
        ("contract/test_store_durability.py", "unit/store/test_store_writer.py"),
    ),
    "the queue": Row(
        "The queue is the database; a worker thread that dies is noticed",
        (
            "contract/test_store_runs.py",
            "unit/jobs/test_supervisor.py",
            "faults/test_kills.py",
        ),
    ),
    "native crashes": Row(
        "A crash in native code ends a child, not the server; three crashes end a window",
        ("integration/test_crashes.py", "faults/test_faults.py"),
    ),
    "processor time": Row(
        "Threads of numeric libraries are counted before they are loaded; the server answers first",
        ("unit/engines/test_device.py",),
        note="figures in performance.md",
    ),
    "brokers": Row("Messages that are lost or doubled", note=f"{LATER}: one process"),
    "schedulers": Row("Rounds that run in every copy of the program", note=f"{LATER}: one process"),
    "the end": Row(
        "SIGTERM drains; clocks may jump; files get their name when they are flushed; one program "
        "owns a data folder",
        (
            "faults/test_faults.py",
            "faults/test_kills.py",
            "faults/test_kill_and_resume.py",
            "integration/test_shutdown.py",
            "faults/test_start.py::test_a_second_instance_on_the_same_folder_is_refused_and_the_"
            "first_goes_on",
        ),
    ),
}
