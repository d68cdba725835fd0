"""What every adapter promises the core, on the real thing; packages with adapters run it too.

pip install ./my-adapter && pytest tests/conformance/test_adapters.py
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError

from gateway.adapter import AdapterConfig
from gateway.findings import Finding, Severity, Situation
from gateway.machine import User
from gateway.registry import Registry
from tests.support.adapter_process import AdapterProcess
from tests.support.ports import wait_until
from tests.support.rigs import Rig, make_rig

REGISTRY = Registry.installed()
GARBAGE = bytes(byte for byte in range(256) if byte not in b"\r\n")


@pytest.fixture(params=REGISTRY.names)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def rig(kind: str, tmp_path: Path) -> Iterator[Rig]:
    made = make_rig(kind, tmp_path)
    yield made
    made.stop()


@pytest.fixture
def lone_rig(rig: Rig) -> Rig:
    if not rig.other_end:
        pytest.skip("has no other end")
    return rig


@pytest.fixture
def table(kind: str, rig: Rig) -> dict[str, Any]:
    return {"name": "conformance", "type": kind, **rig.table}


def get_some(adapter: AdapterProcess, rig: Rig, number: int = 3) -> list[dict[str, Any]]:
    before = len(adapter.messages)
    if rig.other_end:
        for index in range(number):
            rig.send(b"message %d" % index)
    return adapter.wait_messages(before + number)[before:]


def test_every_key_is_described(kind: str) -> None:
    undescribed = [place for place, description in described(REGISTRY.find(kind).Config) if not description]
    assert not undescribed


def test_unknown_keys_are_refused(kind: str, table: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="unheard_of"):
        REGISTRY.find(kind).Config.model_validate({**table, "unheard_of": 1})


def test_the_configuration_says_how_payloads_are_read(kind: str, table: dict[str, Any]) -> None:
    config = REGISTRY.find(kind).Config.model_validate(table)
    assert isinstance(config, AdapterConfig)
    assert len(config.payloads()) > 0


def test_the_constructor_does_no_io(table: dict[str, Any]) -> None:
    with AdapterProcess(table) as adapter:
        assert adapter.events[0]["io"] == []


def test_doctor_finds_nothing_wrong_where_nothing_is(kind: str, rig: Rig, table: dict[str, Any]) -> None:
    rig.start()
    assert [finding for finding in examined(kind, table) if finding.severity is Severity.ERROR] == []


def test_what_doctor_finds_has_a_name_and_a_remedy(kind: str, table: dict[str, Any]) -> None:
    for finding in examined(kind, table):
        assert finding.name.replace("-", "").isalnum()
        assert finding.about == "source conformance"
        assert finding.text
        assert finding.remedy
        assert "\n" not in finding.text + finding.remedy


def test_claims_are_words(kind: str, table: dict[str, Any]) -> None:
    claims = REGISTRY.find(kind).Config.model_validate(table).claims()
    assert all(isinstance(claim, str) and claim for claim in claims)


def examined(kind: str, table: dict[str, Any]) -> list[Finding]:
    found = REGISTRY.find(kind)
    adapter = found(found.Config.model_validate_json(json.dumps(table)))
    return list(adapter.examine(Situation(User.current())))


def test_messages_arrive_as_they_are(rig: Rig, table: dict[str, Any]) -> None:
    rig.start()
    with AdapterProcess(table) as adapter:
        start = time.time()
        adapter.run_until_up()
        for message in get_some(adapter, rig):
            assert message["bytes"]
            assert start <= message["arrived"] <= time.time()
            assert message["flaw"] == ""
        if rig.other_end:
            assert [message["payload"] for message in adapter.messages] == [b"message 0", b"message 1", b"message 2"]


def test_payloads_are_not_looked_into(lone_rig: Rig, table: dict[str, Any]) -> None:
    lone_rig.start()
    with AdapterProcess(table) as adapter:
        adapter.run_until_up()
        lone_rig.send(GARBAGE)
        lone_rig.send(b"after it")
        assert [message["payload"] for message in adapter.wait_messages(2)] == [GARBAGE, b"after it"]


def test_it_says_once_that_it_is_up(rig: Rig, table: dict[str, Any]) -> None:
    rig.start()
    with AdapterProcess(table) as adapter:
        adapter.run_until_up()
        get_some(adapter, rig)
        adapter.stop()
        assert adapter.count("up") == 1


def test_it_stops_and_runs_again(rig: Rig, table: dict[str, Any]) -> None:
    rig.start()
    with AdapterProcess(table) as adapter:
        for _ in range(2):
            adapter.run_until_up()
            get_some(adapter, rig)
            adapter.stop()


def test_it_stops_before_it_is_up(rig: Rig, table: dict[str, Any]) -> None:
    rig.start()
    with AdapterProcess(table) as adapter:
        adapter.run()
        adapter.stop()


def test_an_absent_other_end_is_named(lone_rig: Rig, table: dict[str, Any]) -> None:
    with AdapterProcess(table) as adapter:
        adapter.run()
        reason = adapter.wait_down()
        assert len(reason) > 10
        assert "\n" not in reason
        assert "Traceback" not in reason
        assert adapter.count("up") == 0


def test_it_comes_back_when_the_other_end_does(lone_rig: Rig, table: dict[str, Any]) -> None:
    with AdapterProcess(table) as adapter:
        adapter.run()
        adapter.wait_down()
        for _ in range(2):
            lone_rig.start()
            adapter.run_until_up()
            get_some(adapter, lone_rig)
            lone_rig.stop()
            adapter.wait_down()


def test_refreshing_does_no_harm(rig: Rig, table: dict[str, Any]) -> None:
    rig.start()
    with AdapterProcess(table) as adapter:
        assert adapter.refresh() is False, "there is nothing yet to refresh"
        adapter.run_until_up()
        assert adapter.refresh() in (True, False)
        get_some(adapter, rig)
        adapter.stop()
        assert adapter.refresh() is False, "there is nothing any more to refresh"


def test_settling_twice_and_late_does_no_harm(rig: Rig, table: dict[str, Any]) -> None:
    rig.start()
    with AdapterProcess(table, settle=False) as adapter:
        adapter.run_until_up()
        get_some(adapter, rig)
        adapter.settle()
        adapter.settle()
        get_some(adapter, rig)
        adapter.stop()
        adapter.settle()
        adapter.run_until_up()
        adapter.settle()
        get_some(adapter, rig)


def test_the_probe_answers_in_words(rig: Rig, table: dict[str, Any]) -> None:
    with AdapterProcess(table) as adapter:
        if rig.other_end:
            assert adapter.probe()
        rig.start()
        found = adapter.probe()
        assert found
        assert not found.startswith("AdapterDown")


def test_nothing_stays_open(rig: Rig, table: dict[str, Any]) -> None:
    rig.start()
    with AdapterProcess(table) as adapter:
        adapter.run_until_up()
        adapter.stop()
        at_first = open_files(adapter)
        for _ in range(5):
            adapter.run_until_up()
            adapter.stop()
        wait_until(lambda: open_files(adapter) <= at_first, f"{at_first} open files, as at first")


def test_failures_leave_nothing_open(lone_rig: Rig, table: dict[str, Any]) -> None:
    with AdapterProcess(table) as adapter:
        at_first = open_files(adapter)
        for _ in range(5):
            adapter.run()
            adapter.wait_down()
        wait_until(lambda: open_files(adapter) <= at_first, f"{at_first} open files, as at first")


def open_files(adapter: AdapterProcess) -> int:
    return len(list(Path(f"/proc/{adapter.pid}/fd").iterdir()))


def described(model: type[BaseModel]) -> Iterator[tuple[str, str | None]]:
    for name, field in model.model_fields.items():
        yield f"{model.__name__}.{name}", field.description
        for inner in models_in(field.annotation):
            yield from described(inner)


def models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from models_in(argument)
