"""Labels of this machine, for tasks that require memory, processors or a GPU."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

_NVIDIA_TIMEOUT = 10.0
_KIB_PER_GIB = 1_048_576
_MIB_PER_GIB = 1_024


def probe_capabilities() -> list[str]:
    """Return labels of this machine: `cpus=8`, `memory_gib=31`, `arch=x86_64`, `os=linux`, `python=3.11`.

    A machine with NVIDIA GPUs also has `gpu=nvidia`, `gpus=2`, `gpu_memory_gib=79` (of the smallest one) and `gpu_model=A100-SXM4-80GB`.
    A task can require them: `["gpu", "gpu_memory_gib>=40"]`. Reads `/proc/meminfo` and asks `nvidia-smi`; what is not there is left out.
    """
    labels = [
        f"cpus={os.cpu_count() or 1}",
        f"arch={_word(platform.machine())}",
        f"os={_word(sys.platform)}",
        f"python={sys.version_info.major}.{sys.version_info.minor}",
    ]
    memory = _memory_gib()
    if memory is not None:
        labels.append(f"memory_gib={memory}")
    return labels + _gpu_labels(_nvidia_smi())


def _memory_gib(path: Path = Path("/proc/meminfo")) -> int | None:
    """Return the memory of the machine, rounded down."""
    try:
        found = re.search(r"^MemTotal:\s+(\d+) kB", path.read_text(), re.MULTILINE)
    except OSError:
        return None
    return None if found is None else int(found[1]) // _KIB_PER_GIB


def _nvidia_smi() -> str:
    """Return a line for each GPU: its name, and its memory in MiB."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return ""
    query = ["--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    try:
        asked = subprocess.run(  # noqa: S603 - a fixed command
            [program, *query], capture_output=True, text=True, timeout=_NVIDIA_TIMEOUT, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return asked.stdout


def _gpu_labels(listed: str) -> list[str]:
    gpus = [
        (found[1], int(found[2]))
        for found in re.finditer(r"^\s*(\S.*?)\s*,\s*(\d+)\s*$", listed, re.MULTILINE)
    ]
    if not gpus:
        return []
    smallest = min(memory for _, memory in gpus) // _MIB_PER_GIB
    model = _word(re.sub(r"^NVIDIA\s+", "", gpus[0][0]))
    return ["gpu=nvidia", f"gpus={len(gpus)}", f"gpu_memory_gib={smallest}", f"gpu_model={model}"]


def _word(text: str) -> str:
    """Return a text as the value of a label."""
    return re.sub(r"[^A-Za-z0-9._:/+-]+", "-", text).strip("-")[:48] or "unknown"
