"""The shapes of the result cache."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field

from voice_transcriber.web.shapes import Shape


class CacheTierShape(Shape):
    entries: int
    size_bytes: int


class CacheShape(Shape):
    """Figures since the start of the program, and what is kept now."""

    enabled: bool
    on_disk: bool = Field(description="Results outlive a restart.")
    hits: int = Field(description="Jobs that were answered with what was known.")
    misses: int = Field(description="Jobs that were computed.")
    hit_rate: float | None = Field(description="0 to 1; null before the first job.")
    chunk_hits: int = Field(description="Known chunks of jobs that were computed.")
    memory: CacheTierShape
    disk: CacheTierShape

    @classmethod
    def of(cls, results: Any) -> Self:
        """From the services' result cache."""
        stats = results.stats()
        rate = stats.hit_rate
        return cls(
            enabled=results.is_on,
            on_disk=results.is_on_disk,
            hits=stats.hits,
            misses=stats.misses,
            hit_rate=None if rate is None else round(rate, 4),
            chunk_hits=stats.chunk_hits,
            memory=CacheTierShape.model_validate(stats.memory),
            disk=CacheTierShape.model_validate(stats.disk),
        )


class ForgottenShape(Shape):
    removed: int = Field(description="How many results were kept.")
