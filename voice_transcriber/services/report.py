"""What state a data folder is in, without a running instance."""

from __future__ import annotations

from voice_transcriber.blobs.local import LocalBlobs
from voice_transcriber.data_folder import DataFolder
from voice_transcriber.folder_report import FolderReport, folder_report
from voice_transcriber.settings import Settings
from voice_transcriber.store.backups import Backups


def report_of(settings: Settings) -> FolderReport | None:
    """What state the data folder is in; None when there is none yet.

    Raises DatabaseTooNew, StorageRefuses.
    """
    folder = DataFolder(settings.data_dir)
    if not folder.root.exists():
        return None
    folder.create()
    return folder_report(folder, LocalBlobs(folder.blobs), Backups(folder.backups))
