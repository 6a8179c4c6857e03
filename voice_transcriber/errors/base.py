"""What every error of the product has."""

from __future__ import annotations

from typing import ClassVar


class TranscriberError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "error"
    retry_after_s: int | None = None  # when another try may end better
    default_remedy: ClassVar[str] = "Try again; the log has the details."

    def __init__(self, message: str | None = None, *, remedy: str | None = None) -> None:
        self.message = message or (type(self).__doc__ or "").strip()
        self.remedy = remedy or self.default_remedy
        super().__init__(self.message)
