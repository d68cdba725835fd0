"""All faults, and the table of them in docs/doctor.md: ``python -m tests.support.faults.table`` writes it."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from tests.support.faults import brokers, configuration, journals, machine, packages, ports, services, tls
from tests.support.faults.fault import Fault

PAGE = Path(__file__).parents[3] / "docs" / "doctor.md"
BEGIN, END = "<!-- faults: generated -->\n", "<!-- end of faults -->\n"
_GROUPS: tuple[tuple[str, tuple[ModuleType, ...]], ...] = (
    ("Configuration", (configuration,)),
    ("Serial ports", (ports,)),
    ("MQTT", (brokers, tls)),
    ("Machine, state folder, address", (machine,)),
    ("Journal", (journals,)),
    ("Service", (services,)),
    ("Python packages", (packages,)),
)


def faults() -> dict[str, Fault]:
    """Return every fault by a name of its own."""
    return {
        f"{module.__name__.rpartition('.')[2]}.{name}": fault
        for _, modules in _GROUPS
        for module in modules
        for name, fault in vars(module).items()
        if isinstance(fault, Fault)
    }


def rendered() -> str:
    """Return the tables as they stand in docs/doctor.md."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    for title, modules in _GROUPS:
        yield f"### {title}\n"
        yield "| what is wrong | finding | | exit | remedy, in part | seeded by the test |"
        yield "|---|---|---|---|---|---|"
        for name, fault in faults().items():
            if name.partition(".")[0] in {module.__name__.rpartition(".")[2] for module in modules}:
                yield _row(fault)
        yield ""


def _row(fault: Fault) -> str:
    name = f"`{fault.finding}`" + (" (`check`)" if fault.program == "check" else "")
    how = " ".join(fault.how.split()) + (" (as root)" if fault.root else "")
    cells = (fault.wrong, name, fault.severity, str(fault.exit), f"`{fault.remedy.strip()}`", how)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def spliced(text: str) -> str:
    """Return the page with its tables as they should be."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{rendered()}{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(spliced(PAGE.read_text()))
