"""What the tests of the real program can't make happen."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.mqtt.examine import _covers
from adapters.serial_port.examine import kinds_of
from gateway.doctor import Facts, doctor
from gateway.doctor.environment import _fits
from gateway.doctor.unit import Unit
from gateway.findings import Finding, note, warning
from gateway.machine import User
from tests.support.ports import wait_until

ROOT = Path(__file__).parents[2]
FACTS = Facts(None, None, (), "1", User.current())


@pytest.fixture
def patient(monkeypatch):
    def make(*checks):
        monkeypatch.setattr(doctor, "_FIELDS", tuple((f"field {index}", check) for index, check in enumerate(checks)))
        monkeypatch.setattr(doctor, "TIMEOUT_S", 0.2)
        return doctor.Doctor(FACTS)

    return make


def good(_facts: Facts) -> Iterator[Finding]:
    yield note("good", "field", "is fine", "nothing")


def broken(_facts: Facts) -> Iterator[Finding]:
    yield warning("found", "field", "is bad", "mend it")
    raise KeyError("x")


def test_a_check_that_fails_is_a_finding_and_hides_no_other(patient):
    found = patient(good, broken).examine()
    assert [finding.name for finding in found] == ["check-failed", "found", "good"]
    assert found[0].about == "field 1"
    assert "KeyError: 'x'" in found[0].text


def test_a_check_that_hangs_is_a_finding_and_keeps_nobody(patient):
    let_go, ended = [], []

    def hanging(_facts: Facts) -> Iterator[Finding]:
        yield note("first", "field", "x", "y")
        wait_until(lambda: let_go, "the test lets it go")
        ended.append(True)

    found = patient(hanging, good).examine()
    assert {finding.name for finding in found} == {"check-unfinished", "first", "good"}
    assert not ended
    let_go.append(True)
    wait_until(lambda: ended, "the thread ends")


def test_more_checks_than_threads(patient):
    assert len(patient(*[good] * 100).examine()) == 100


@pytest.mark.parametrize(
    ("one", "other", "covers"),
    [
        ("#", "a/b", True),
        ("a/#", "a", True),
        ("a/#", "a/{device}/x", True),
        ("a/{device}", "a/b", True),
        ("a/+", "a/{device}", True),
        ("a/b", "a/{device}", False),
        ("a/{device}", "a/#", False),
        ("a/{device}", "a/b/c", False),
        ("a/+/#", "a/#", False),
        ("#", "$SYS/broker", False),
        ("+/b", "$SYS/b", False),
        ("b/#", "a/b", False),
    ],
)
def test_which_routes_hide_which(one, other, covers):
    assert _covers(one, other) is covers


@pytest.mark.parametrize(
    ("found", "wanted", "fits"),
    [
        ("0.41.3", "<0.42,>=0.41.3", True),
        ("0.42", "<0.42,>=0.41.3", False),
        ("0.41.2", "<0.42,>=0.41.3", False),
        ("8.10", ">=8.1", True),
        ("3.5", ">=3.5", True),
        ("3.5.0+local", ">=3.5", True),
        ("2.0", "", True),
    ],
)
def test_which_versions_fit(found, wanted, fits):
    assert _fits(found, wanted) is fits


def test_a_number_of_devices_may_have_several_names():
    assert {"tty", "ttyS"} <= set(kinds_of(4))
    assert kinds_of(9_999) == []


def test_what_a_unit_allows():
    assert Unit({}).devices() is None
    closed = Unit({"DevicePolicy": "closed", "DeviceAllow": "char-ttyUSB rw ; /dev/ttyS0 rw"})
    assert closed.devices() == {"char-ttyUSB", "/dev/ttyS0"}
    assert Unit({"DevicePolicy": "closed"}).devices() == frozenset()


def names() -> set[str]:
    """Return the names of all findings that the project's code makes."""
    files = (path for package in ("gateway", "adapters") for path in (ROOT / package).rglob("*.py"))
    calls = (node for path in files for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    made = (call for call in calls if isinstance(call.func, ast.Name) and call.func.id in ("error", "warning", "note"))
    return {str(call.args[0].value) for call in made if isinstance(call.args[0], ast.Constant)}


def test_the_page_names_all_that_can_be_found():
    page = (ROOT / "docs" / "doctor.md").read_text()
    assert len(names()) > 80
    assert {name for name in names() if f"`{name}`" not in page} == set()
