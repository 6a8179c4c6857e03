"""Uploads take no more room than there is: in the queue, on the disk, in a server that stops."""

from __future__ import annotations

from collections.abc import Callable

from flask.testing import FlaskClient

from tests.api.conftest import Disk, stored_files
from tests.api.tus_requests import SOUND, Send, offset_of, submit
from tests.contract.makers import Jobs
from voice_transcriber.services import Services


def test_a_full_queue_refuses_before_a_byte_is_sent(announce: Send, jobs: Jobs) -> None:
    for _ in range(3):
        jobs.queued()
    answer = announce()
    assert (answer.status_code, answer.json["code"]) == (429, "queue_full")
    assert answer.headers["Retry-After"]


def test_a_full_queue_loses_no_finished_upload(
    whole: Callable[..., str], jobs: Jobs, client: FlaskClient, services: Services
) -> None:
    upload_id = whole()
    waiting = [jobs.queued() for _ in range(3)]
    assert submit(client, upload_id).status_code == 429
    services.store.cancel(waiting[0].id)
    accepted = submit(client, upload_id)
    assert accepted.status_code == 202
    jobs.queued()
    assert submit(client, upload_id).json["id"] == accepted.json["id"]


def test_only_so_many_uploads_are_under_way(announce: Send) -> None:
    assert [announce().status_code for _ in range(4)] == [201, 201, 201, 429]


def test_what_is_still_to_come_has_its_place_on_the_disk(announce: Send, disk: Disk) -> None:
    disk.room_bytes = 200_000_000 + 15_000_000
    assert announce(10_000_000).status_code == 201
    answer = announce(10_000_000)
    assert (answer.status_code, answer.json["code"]) == (507, "disk_full")
    assert answer.headers["Retry-After"]


def test_a_disk_that_fills_up_refuses_the_next_bytes_and_goes_on_when_there_is_room(
    announce: Send, patch: Send, disk: Disk
) -> None:
    address = announce().location
    disk.room_bytes = 200_000_000
    answer = patch(address, 0, SOUND)
    assert (answer.status_code, answer.json["code"]) == (507, "disk_full")
    disk.room_bytes = None
    assert patch(address, 0, SOUND).status_code == 204


def test_a_draining_server_takes_nothing_more(
    announce: Send, patch: Send, client: FlaskClient, services: Services
) -> None:
    address = announce().location
    services.drain()
    for answer in (announce(), patch(address, 0, b"x")):
        assert (answer.status_code, answer.json["code"]) == (503, "shutting_down")
        assert answer.headers["Retry-After"]
    assert offset_of(client, address) == 0


def test_the_part_of_the_disk_is_never_more_than_the_file(
    announce: Send, patch: Send, client: FlaskClient, services: Services
) -> None:
    size = 10_000_000
    address = announce(size).location
    for offset in range(0, size, 2_500_000):
        patch(address, offset, bytes([offset % 251]) * 2_500_000)
        assert sum(path.stat().st_size for path in stored_files(services)) <= size
    submit(client, address.rsplit("/", 1)[1])
    assert sum(path.stat().st_size for path in stored_files(services)) == size
