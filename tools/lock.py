"""Writes requirements.lock and requirements-cuda.lock: every package with the hashes of its files.

Run by `make lock`, where there is network. Both come from one resolution of requirements.txt; what
only a CUDA build of torch needs stands in the second. torch has one version and many builds: the
lock holds the hashes of the package index's files and of those that TORCH_LINKS leads to.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
CUDA = re.compile(r"(nvidia|cuda)-|triton==")
LEFT_OUT = re.compile(r"pip==")  # installs the lock, so it is there
HEADER = "# Made by `make lock` from {source}. Install with --no-deps --require-hashes.\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--torch-links", help="folder or page that lists further builds of torch")
    links = parser.parse_args().torch_links
    entries = compiled("requirements.txt")
    if links:
        at = next(n for n, entry in enumerate(entries) if entry.startswith("torch=="))
        entries[at] = with_hashes(entries[at], further_builds(entries[at], links))
    kept = [entry for entry in entries if not LEFT_OUT.match(entry)]
    write("requirements.lock", [entry for entry in kept if not CUDA.match(entry)])
    write("requirements-cuda.lock", [entry for entry in kept if CUDA.match(entry)])


def compiled(source: str, *options: str, text: str | None = None) -> list[str]:
    """Entries as pip reads them, each with its lines of hashes."""
    command = ["uv", "pip", "compile", source, "--universal", "--python-version", "3.11"]
    command += ["--generate-hashes", "--no-header", "--no-annotate", "--quiet"]
    done = subprocess.run(
        [*command, *options],
        cwd=PROJECT,
        input=text,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return re.split(r"\n(?=\S)", done.stdout.strip())


def further_builds(torch: str, links: str) -> set[str]:
    """Hashes of the builds that are found under their own label, such as 2.13.0+cpu."""
    name, _, version = torch.split()[0].partition("==")
    if Path(links).is_dir():
        found = {digest_of(wheel) for wheel in Path(links).glob(f"{name}-{version}+*.whl")}
    else:
        options = ("--no-deps", "--no-index", "--find-links", links)
        found = hashes_of(compiled("-", *options, text=f"{name}=={version}+cpu\n")[0])
    if not found:
        raise SystemExit(f"{links} has no further build of {name} {version}.")
    return found


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def hashes_of(entry: str) -> set[str]:
    return set(re.findall(r"--hash=(sha256:[0-9a-f]{64})", entry))


def with_hashes(entry: str, more: set[str]) -> str:
    requirement = entry.split(" \\\n")[0]
    lines = [f"    --hash={one}" for one in sorted(hashes_of(entry) | more)]
    return " \\\n".join([requirement, *lines])


def write(name: str, entries: list[str]) -> None:
    text = HEADER.format(source="requirements.txt and constraints.txt") + "\n".join(entries) + "\n"
    (PROJECT / name).write_text(text, encoding="utf-8")
    print(f"{name}: {len(entries)} packages")


if __name__ == "__main__":
    main()
