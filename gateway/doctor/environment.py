"""The Python packages around the gateway: whether it is ours that is imported, and in which versions."""

import os
import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution, packages_distributions, version
from importlib.util import find_spec
from pathlib import Path

from gateway.doctor.facts import Facts
from gateway.findings import Finding, error, warning
from gateway.registry import BrokenType, Registry

DISTRIBUTION = "telemetry-gateway"
_PACKAGES = ("gateway", "adapters")
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*([^;]*)(;.*extra.*)?")
_CLAUSE = re.compile(r"(>=|<)\s*([0-9.]+)")
_PACKAGED = "/usr/lib/telemetry-gateway"
"""Where Debian's package has its environment, which pip doesn't manage."""
ABOUT = "environment"


def check(_facts: Facts) -> Iterator[Finding]:
    """Look at what is installed beside us."""
    yield from _shadowed()
    yield from _elsewhere()
    yield from _versions(distribution(DISTRIBUTION))
    yield from _broken_types()
    yield from _path_variable()


def _shadowed() -> Iterator[Finding]:
    owners = packages_distributions()
    for name in _PACKAGES:
        for other in sorted(set(owners.get(name, ())) - {DISTRIBUTION}):
            text = f'the distribution "{other}" brings a package "{name}" too: one has overwritten files of the other'
            yield error("package-shadowed", ABOUT, text, _uninstall(other))


def _elsewhere() -> Iterator[Finding]:
    """Find packages of ours that are imported from two places, as a folder of that name on the way does."""
    places = {name: _folder(name) for name in _PACKAGES}
    if len(set(places.values())) > 1:
        text = ", ".join(f'"{name}" is imported from {place}' for name, place in places.items())
        remedy = "rename the folder that is in the way, or take it out of PYTHONPATH"
        yield error("package-elsewhere", ABOUT, f"{text}: they belong together", remedy)


def _folder(name: str) -> Path | None:
    spec = find_spec(name)
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0]).resolve().parent if places else None


def _versions(ours: Distribution) -> Iterator[Finding]:
    for requirement in ours.requires or ():
        match = _REQUIREMENT.fullmatch(requirement)
        if match is None or match[3]:
            continue
        name, wanted = match[1], match[2].strip()
        found = _version(name)
        if found is None:
            yield error("package-missing", ABOUT, f"{name} is missing", _install(f"{name}{wanted}"))
        elif not _fits(found, wanted):
            text = f"{name} is {found}, and {wanted} is wanted: the gateway is tested with no other"
            yield error("package-version", ABOUT, text, _install(f"{name}{wanted}"))


def _install(requirement: str) -> str:
    if sys.prefix == _PACKAGED:
        return f"sudo apt install --reinstall {DISTRIBUTION}; and look into /usr/local/lib/{DISTRIBUTION}"
    return f"{sys.executable} -m pip install '{requirement}'"


def _uninstall(other: str) -> str:
    if sys.prefix == _PACKAGED:
        return f"remove {other} from /usr/local/lib/{DISTRIBUTION}; sudo apt install --reinstall {DISTRIBUTION}"
    again = f"{sys.executable} -m pip install --force-reinstall {DISTRIBUTION}"
    return f"{sys.executable} -m pip uninstall {other}; {again}"


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _fits(found: str, wanted: str) -> bool:
    """Tell whether a version fits; the project's own requirements are bounds by ``>=`` and ``<`` only."""
    clauses = _CLAUSE.findall(wanted)
    return all((_key(found) >= _key(bound)) == (sign == ">=") for sign, bound in clauses)


def _key(text: str) -> tuple[int, ...]:
    numbers = [int(number) for number in re.findall(r"\d+", text.partition("+")[0])[:4]]
    return (*numbers, *[0] * (4 - len(numbers)))


def _broken_types() -> Iterator[Finding]:
    registry = Registry.installed()
    for name in registry.names:
        try:
            registry.find(name)
        except BrokenType as broken:
            remedy = "install the package that brings it again (pip install --force-reinstall), or uninstall it"
            yield error("adapter-broken", ABOUT, f'adapters of type "{name}" can\'t be used: {broken}', remedy)


def _path_variable() -> Iterator[Finding]:
    if os.environ.get("PYTHONPATH") and not sys.flags.ignore_environment:
        text = f"PYTHONPATH is {os.environ['PYTHONPATH']}: what lies there is imported before what is installed"
        yield warning("pythonpath", ABOUT, text, "unset PYTHONPATH")
