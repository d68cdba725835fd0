"""Debian packages of what is here."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def build(arch: str) -> Path:
    """Return the package for ``arch``, made as people make it."""
    command = ["make", "--no-print-directory", "deb", f"ARCH={arch}"]
    told = subprocess.run(command, cwd=ROOT, check=True, timeout=600.0, capture_output=True, text=True).stdout
    return ROOT / told.split()[-1]
