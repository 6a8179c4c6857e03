"""Asks the advisory service about every package of the lock: `make audit`, where there is network.

Exits with 0 when nothing is known of any, 1 when something is or a package is unknown to the
service, and 3 when the service could not be asked.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

NOBODY_ASKED = 3


def main() -> int:
    command = ["pip-audit", "--require-hashes", "--disable-pip", "--progress-spinner=off"]
    for name in sys.argv[1:]:
        command += ["--requirement", name]
    done = subprocess.run([*command, "--format=json"], capture_output=True, text=True)
    packages = _packages(done.stdout)
    skipped = [package for package in packages if "skip_reason" in package]
    if not packages or len(skipped) == len(packages):
        last = done.stderr.strip().splitlines()[-1:] if not packages else []
        print("The advisory service could not be asked, so nothing is known.", *last)
        print("Run `make audit` where there is network.")
        return NOBODY_ASKED
    return _tell(packages)


def _packages(output: str) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = json.loads(output)["dependencies"]
    except (ValueError, KeyError):
        return []
    return found


def _tell(packages: list[dict[str, Any]]) -> int:
    faults = 0
    for package in packages:
        name = f"{package['name']} {package.get('version', '')}"
        if "skip_reason" in package:
            faults += 1
            print(f"{name}: not known to the service")
        for known in package.get("vulns", ()):
            faults += 1
            fixed = ", ".join(known["fix_versions"]) or "no version yet"
            print(f"{name}: {known['id']}, fixed in {fixed}")
    print(f"{len(packages)} packages, {faults} with something to look at.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
