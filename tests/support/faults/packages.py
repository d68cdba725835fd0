"""Python packages around the gateway: distributions that lie in front of ours."""

from tests.support.faults.box import Box
from tests.support.faults.fault import fault


def distribution(box: Box, name: str, version: str, **files: str) -> None:
    """Install one into a folder that comes first."""
    info = box.folder / "packages" / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    for file, text in files.items():
        (info / f"{file}.txt").write_text(text)
    box.env["PYTHONPATH"] = str(info.parent)


@fault(
    "another distribution brings our packages",
    "package-shadowed",
    "pip uninstall home-tools",
    said=['"home-tools"', '"adapters"'],
)
def shadowed(box: Box) -> None:
    """A distribution that says so."""
    distribution(box, "home-tools", "1.0", top_level="adapters\n")


@fault("a library has another version", "package-version", "pip install 'eventlet", said=["eventlet is 0.30.0"])
def other_version(box: Box) -> None:
    """A distribution of that name in front of it."""
    distribution(box, "eventlet", "0.30.0")


@fault(
    "an adapter's package is broken", "adapter-broken", "pip install --force-reinstall", said=['"modbus"', "imported"]
)
def broken_adapter(box: Box) -> None:
    """A distribution whose entry point leads nowhere."""
    distribution(box, "gateway-modbus", "1.0", entry_points="[gateway.adapters]\nmodbus = nowhere_to_be_found:Modbus\n")


@fault(
    "packages lie in front of what is installed",
    "pythonpath",
    "unset PYTHONPATH",
    said=["imported before"],
    severity="warning",
)
def path_variable(box: Box) -> None:
    """PYTHONPATH and an empty folder."""
    box.env["PYTHONPATH"] = str(box.folder)


@fault("a folder hides half of the gateway", "package-elsewhere", "rename the folder", said=["they belong together"])
def folder_in_the_way(box: Box) -> None:
    """A folder `adapters` with PYTHONPATH, and a gateway that has no source."""
    (box.folder / "way" / "adapters").mkdir(parents=True)
    (box.folder / "way" / "adapters" / "__init__.py").touch()
    box.env["PYTHONPATH"] = str(box.folder / "way")
    box.write("")
