"""What torch and CTranslate2 raise, as errors of ours."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pickle import UnpicklingError

import torch

from voice_transcriber.errors import EngineOutOfMemory, GpuFailed

# What torch.load, and whisper.load_model after it, raise for a file that is cut off, or that is
# something else.
UNREADABLE = (
    RuntimeError,
    UnpicklingError,
    KeyError,
    TypeError,
    EOFError,
    OSError,
    ValueError,
)

# Both have plain RuntimeErrors for the computer's memory, and CTranslate2 for the GPU's too.
_MEMORY_WORDS = ("can't allocate memory", "out of memory", "bad_alloc", "failed to allocate")


@contextmanager
def faults_named(size: str, device: str) -> Iterator[None]:
    """Raises EngineOutOfMemory, and GpuFailed for any other fault of a GPU.

    `size` is the model's name; a fault that is none of the memory's stays as it is on the CPU, and
    so does one of the system.
    """
    try:
        yield
    except (RuntimeError, MemoryError, AssertionError, ValueError, OSError) as error:
        if is_out_of_memory(error):
            raise EngineOutOfMemory(f"There is not enough memory for the model {size}.") from error
        if device == "cpu" or isinstance(error, OSError):
            raise
        raise gpu_failed(error) from error


def gpu_failed(error: Exception) -> GpuFailed:
    """What a GPU's library raised, in its words."""
    return GpuFailed(f"The GPU failed: {_first_line(error)}.")


def is_out_of_memory(error: BaseException) -> bool:
    """Itself, or what it was raised from: torch's bindings wrap a MemoryError of Python's."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    if error.__cause__ is not None and is_out_of_memory(error.__cause__):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(words in text for words in _MEMORY_WORDS)


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0].rstrip(".")
