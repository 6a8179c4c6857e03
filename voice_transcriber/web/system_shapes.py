"""The shapes of the system's figures: now, and as columns over the last hour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field

from voice_transcriber import __version__
from voice_transcriber.web.cache_shapes import CacheShape
from voice_transcriber.web.schemas import Request
from voice_transcriber.web.shapes import Shape, time_text

if TYPE_CHECKING:
    from voice_transcriber.services import Services


class HistoryQuery(Request):
    """What the client knows already."""

    since: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0  # `until` of the answer before


class CpuShape(Shape):
    percent: float  # of all cores, since the sample before
    cores: int


class MemoryShape(Shape):
    used_bytes: int
    total_bytes: int


class DiskShape(Shape):
    free_bytes: int
    total_bytes: int


class GpuShape(Shape):
    index: int
    name: str
    percent: float
    memory_used_bytes: int
    memory_total_bytes: int


class ProcessShape(Shape):
    count: int
    cpu_percent: float  # of all cores
    memory_bytes: int


class QueueShape(Shape):
    queued: int
    running: int


class RemoteShape(Shape):
    """The server that recordings are sent to, and the way to it; counted since the start."""

    server: str
    connections: int  # open
    idle_connections: int  # of these
    requests: int
    retries: int
    errors: int  # requests that were given up
    sent_bytes: int  # of audio
    taken_over: int  # chunks that the local engine did in its place


class EngineShape(Shape):
    name: str
    running: bool
    models: Sequence[str]  # in memory
    loading: str | None  # model that is being loaded
    restarts: int  # since the server's start
    remote: RemoteShape | None  # null: recordings stay on this machine


class SpeedShape(Shape):
    """Of the jobs that completed in the last hour."""

    jobs: int
    real_time_factor: float | None  # median; seconds of work for one second of audio


class SystemShape(Shape):
    """The newest sample, and what the engine does."""

    time: str
    version: str
    cpu: CpuShape
    memory: MemoryShape
    disk: DiskShape
    gpus: Sequence[GpuShape]
    processes: Mapping[str, ProcessShape]  # web, engine, decoders
    queue: QueueShape
    engine: EngineShape
    speed: SpeedShape
    cache: CacheShape
    notices: Sequence[str]  # what somebody should know: problems, and what was repaired

    @classmethod
    def of(cls, services: Services) -> Self:
        health = services.health()
        sample, engine, speed = services.system.now(), services.engine, services.system.speed()
        machine = sample.machine
        return cls(
            time=time_text(sample.time) or "",
            version=__version__,
            cpu=CpuShape(percent=machine.cpu_percent, cores=machine.cores),
            memory=MemoryShape(
                used_bytes=machine.memory_used_bytes, total_bytes=machine.memory_total_bytes
            ),
            disk=DiskShape(free_bytes=sample.disk_free_bytes, total_bytes=sample.disk_total_bytes),
            gpus=[GpuShape.model_validate(gpu) for gpu in sample.gpus],
            processes={
                role: ProcessShape.model_validate(use) for role, use in machine.processes.items()
            },
            queue=QueueShape(queued=sample.queued, running=sample.running),
            engine=EngineShape(
                name=services.settings.engine,
                running=engine.is_running,
                models=[str(key) for key in engine.models],
                loading=engine.loading,
                restarts=max(0, engine.starts - 1),
                remote=RemoteShape.model_validate(services.remote.figures)
                if services.remote
                else None,
            ),
            speed=SpeedShape.model_validate(speed),
            cache=CacheShape.of(services.results),
            notices=[*health.problems, *health.details["warnings"]],
        )


class ProcessColumns(Shape):
    cpu_percent: Sequence[float]
    memory_bytes: Sequence[int]


class GpuColumns(Shape):
    """Null where the GPU could not be read."""

    index: int
    percent: Sequence[float | None]
    memory_used_bytes: Sequence[int | None]

    @classmethod
    def of(cls, samples: Sequence[Any], index: int) -> Self:
        uses = [
            next((gpu for gpu in sample.gpus if gpu.index == index), None) for sample in samples
        ]
        return cls(
            index=index,
            percent=[use and use.percent for use in uses],
            memory_used_bytes=[use and use.memory_used_bytes for use in uses],
        )


class SampleColumns(Shape):
    """One entry for each sample, in every column."""

    time: Sequence[float]  # Unix seconds
    cpu_percent: Sequence[float]
    memory_used_bytes: Sequence[int]
    disk_free_bytes: Sequence[int]
    queued: Sequence[int]
    running: Sequence[int]
    processes: Mapping[str, ProcessColumns]  # web, engine, decoders
    gpus: Sequence[GpuColumns]

    @classmethod
    def of(cls, samples: Sequence[Any]) -> Self:
        """From the monitor's samples."""
        machines = [sample.machine for sample in samples]
        roles = machines[-1].processes if machines else {}
        gpus = sorted({gpu.index for sample in samples for gpu in sample.gpus})
        return cls(
            time=[sample.time for sample in samples],
            cpu_percent=[machine.cpu_percent for machine in machines],
            memory_used_bytes=[machine.memory_used_bytes for machine in machines],
            disk_free_bytes=[sample.disk_free_bytes for sample in samples],
            queued=[sample.queued for sample in samples],
            running=[sample.running for sample in samples],
            processes={
                role: ProcessColumns(
                    cpu_percent=[machine.processes[role].cpu_percent for machine in machines],
                    memory_bytes=[machine.processes[role].memory_bytes for machine in machines],
                )
                for role in roles
            },
            gpus=[GpuColumns.of(samples, index) for index in gpus],
        )


class JobColumns(Shape):
    """One entry for each completed job, in every column."""

    time: Sequence[float]  # Unix seconds of its end
    model: Sequence[str]
    real_time_factor: Sequence[float]


class HistoryShape(Shape):
    """The last hour, or the part of it that the client does not know."""

    until: float  # pass as `since` the next time
    reset: bool  # true: drop what you know, this is all there is
    samples: SampleColumns
    jobs: JobColumns

    @classmethod
    def of(cls, services: Services, *, since: float) -> Self:
        span = services.system.since(since)
        return cls(
            until=span.until,
            reset=span.reset,
            samples=SampleColumns.of(span.samples),
            jobs=JobColumns(
                time=[job.time for job in span.jobs],
                model=[job.model for job in span.jobs],
                real_time_factor=[job.real_time_factor for job in span.jobs],
            ),
        )
