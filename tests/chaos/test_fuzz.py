"""Two thousand payloads that nobody thought of: each is stored, or kept with the reason; and can be let in later."""

import base64
import json
import urllib.error
import urllib.request
from collections import Counter

import pytest

from tests.chaos import payloads
from tests.chaos.books import Auditor
from tests.support.daemon import Daemon, mqtt
from tests.support.mosquitto import Mosquitto
from tests.support.ports import wait_until

MOST_KEPT_BYTES = 4096
LISTED = 1000
"""At most, in one answer; so as many are published at a time."""
STRICT = 'temperature = { type = "float", min = -10, max = 20 }\nhumidity = { type = "int", required = true }'
LENIENT = 'temperature = { type = "float" }\nhumidity = { type = "float" }'


def tables(port, name, profile):
    route = mqtt(port, name=name, topic="fuzz/{device}")
    return f'{route}profile = "fuzz"\n[profiles.fuzz]\nextra = "allow"\n[profiles.fuzz.metrics]\n{profile}\n'


@pytest.fixture
def broker(tmp_path):
    with Mosquitto(tmp_path / "broker", lines=["max_inflight_messages 0"]) as running:
        yield running


def wait_ended(daemon, count):
    wait_until(lambda: daemon.ledger()["stored"] + daemon.ledger()["rejected"] == count, f"{count} ended", timeout_s=60)


def stored(daemon):
    """Return how many readings there are of each device; a device is a message here."""
    return Counter({device["id"]: device["last"]["seq"] for device in daemon.get("/api/v1/devices")["devices"]})


def newest_rejects(daemon):
    """Return what was refused, by the device that it names; at most the newest thousand."""
    answer = daemon.get(f"/api/v1/rejects?limit={LISTED}")
    assert len(answer["rejects"]) == min(answer["total"], LISTED)
    return {each["topic"].removeprefix("fuzz/"): each for each in answer["rejects"]}


def replay(daemon, number):
    """Let a message in again; return the outcome, or the status that refuses to."""
    request = urllib.request.Request(f"{daemon.url}/api/v1/rejects/{number}/replay", method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10.0) as answer:
            return json.load(answer)["outcome"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def check_kept(reject, payload):
    assert base64.b64decode(reject["payload_base64"]) == payload[:MOST_KEPT_BYTES]
    assert reject["size"] == len(payload)
    assert reject["truncated"] == (len(payload) > MOST_KEPT_BYTES)
    assert reject["count"] == 1
    assert reject["source"] == "strict"
    assert reject["reason"].strip()


def test_each_is_stored_or_can_be_looked_up_and_replayed(tmp_path, broker, seed):
    made = {f"m{number}": payload for number, payload in enumerate(payloads.make(2000, seed))}
    strict = Daemon(tmp_path / "strict", tables(broker.port, "strict", STRICT))
    lenient = Daemon(tmp_path / "lenient", tables(broker.port, "lenient", LENIENT))
    with strict, lenient, Auditor(strict.url):
        strict.wait_up("strict")
        lenient.wait_up("lenient")
        refused = {}
        for start in range(0, len(made), LISTED):
            part = list(made.items())[start : start + LISTED]
            broker.publish_all([(f"fuzz/{device}", payload) for device, payload in part])
            for daemon in (strict, lenient):
                wait_ended(daemon, start + len(part))
            refused |= newest_rejects(strict)
        accepted = stored(strict)
        assert accepted.keys() | refused.keys() == made.keys()
        assert not accepted.keys() & refused.keys()
        for device, reject in refused.items():
            check_kept(reject, made[device])

        assert strict.stop() == 0
        strict.config.write_text(strict.config.read_text().replace(STRICT, LENIENT))
        strict.start()
        assert stored(strict) == accepted
        outcomes = {device: replay(strict, reject["id"]) for device, reject in refused.items()}
        whole = {device for device, payload in made.items() if len(payload) <= MOST_KEPT_BYTES}
        expected = accepted | Counter({device: n for device, n in stored(lenient).items() if device in whole})
        print(Counter(outcomes.values()), f"stored {len(accepted)}, then {len(stored(strict))}")
        assert stored(strict) == expected
        assert len(expected) > len(accepted)
        assert {device for device, outcome in outcomes.items() if outcome == "stored"} == expected.keys() - accepted
        assert {device for device, outcome in outcomes.items() if outcome == 409} == refused.keys() - whole
        assert strict.get("/api/v1/rejects")["total"] == len(made.keys() - expected)
        assert newest_rejects(strict).keys() <= made.keys() - expected
