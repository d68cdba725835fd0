"""Readings that are stamped while the gateway's clock is not set yet."""

import orjson
import pytest

from gateway import runtime
from gateway.adapter import PayloadConfig
from gateway.deliveries import Deliveries
from gateway.intake import Intake
from gateway.model import RawMessage

SINCE_1970 = 72.5
TODAY = 1_767_225_600.5


def body(payload: bytes, arrived: float) -> dict[str, object]:
    config = PayloadConfig(device="kitchen")
    entry = Intake("source", [config], {}, Deliveries()).take(RawMessage(payload, arrived))
    return orjson.loads(entry.readings[0].body)


def test_a_stamp_of_an_unset_clock_is_marked():
    assert body(b'{"t": 1}', SINCE_1970) == {"ts": SINCE_1970, "values": {"t": 1}, "clock": "unset"}


def test_a_stamp_of_a_set_clock_is_not():
    assert body(b'{"t": 1}', TODAY) == {"ts": TODAY, "values": {"t": 1}}


@pytest.mark.parametrize("ts", [TODAY, 3.0])
def test_the_source_answers_for_its_own_times(ts):
    assert body(b'{"t": 1, "ts": %f}' % ts, SINCE_1970) == {"ts": ts, "values": {"t": 1}}


def test_a_clock_before_2025_was_never_set():
    assert [runtime.is_set(at) for at in (0.0, 1_735_689_599.9, 1_735_689_600.0, TODAY)] == [False, False, True, True]


def test_the_boot_is_known_to_all_of_its_processes():
    assert runtime.boot_id() == runtime.boot_id()
    earlier = runtime.since_boot()
    assert 0 < earlier <= runtime.since_boot()
