"""The environment of children: what systems and numeric libraries read, and nothing that is secret.

The app's own settings stay with it: children get what they need as arguments.
"""

from __future__ import annotations

from collections.abc import Mapping

_NAMES = frozenset(
    {
        "ALLUSERSPROFILE",
        "APPDATA",
        "COMSPEC",
        "CONDA_PREFIX",
        "HOME",
        "HOMEDRIVE",
        "HOMEPATH",
        "LANG",
        "LANGUAGE",
        "LOCALAPPDATA",
        "LOGNAME",
        "NUMBER_OF_PROCESSORS",
        "PATH",
        "PATHEXT",
        "PROCESSOR_ARCHITECTURE",
        "PROGRAMDATA",
        "PROGRAMFILES",
        "PROGRAMFILES(X86)",
        "PROGRAMW6432",
        "SYSTEMDRIVE",
        "SYSTEMROOT",
        "TEMP",
        "TMP",
        "TMPDIR",
        "TZ",
        "USER",
        "USERNAME",
        "USERPROFILE",
        "VIRTUAL_ENV",
        "WINDIR",
        "XDG_CACHE_HOME",
        "XDG_CONFIG_HOME",
        "XDG_DATA_HOME",
    }
)
# Of the C library, Python, drivers of GPUs, and libraries for numbers.
_PREFIXES = (
    "ATEN_",
    "CT2_",
    "CUBLAS_",
    "CUDA_",
    "CUDNN_",
    "DNNL_",
    "DYLD_",
    "GLIBC_",
    "GOMP_",
    "HIP_",
    "HSA_",
    "KMP_",
    "LC_",
    "LD_",
    "MALLOC_",
    "MIOPEN_",
    "MKL_",
    "NUMBA_",
    "NVIDIA_",
    "OMP_",
    "ONEDNN_",
    "OPENBLAS_",
    "OPENVINO_",
    "OV_",
    "PYTHON",
    "PYTORCH_",
    "ROCR_",
    "TBB_",
    "TORCH",
    "TRITON_",
    "VECLIB_",
)
_NEVER = ("_FILE", "_KEY", "_TOKEN", "_SECRET", "_PASSWORD")


def for_children(environ: Mapping[str, str], *, temp_dir: str | None = None) -> dict[str, str]:
    """What a child gets of `environ`; its temporary files go to `temp_dir`."""
    kept = {name: value for name, value in environ.items() if _is_needed(name.upper())}
    return kept if temp_dir is None else kept | {"TMPDIR": temp_dir, "TEMP": temp_dir}


def _is_needed(name: str) -> bool:
    return (name in _NAMES or name.startswith(_PREFIXES)) and not name.endswith(_NEVER)
