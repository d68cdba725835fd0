"""2000 payloads that nobody would expect: each is stored, or refused with a reason, and explained alike."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from gateway.adapter import AdapterConfig, PayloadConfig
from gateway.deliveries import Deliveries
from gateway.explain import explain
from gateway.intake import Intake
from gateway.model import Outcome, RawMessage
from gateway.profiles import ProfileConfig, build
from gateway.profiles.user_model import ModelProfile

ARRIVED = 1767225600.5
EACH = 250
"""Examples a way of reading; there are eight."""


class Anything(BaseModel):
    """Takes all, and makes numbers that leave the floats' range."""

    model_config = {"extra": "allow"}
    a: Any = None

    def model_post_init(self, _):
        if isinstance(self.a, float):
            self.a *= 1e300


METRICS = {
    "a": {"scale": 1e200, "max": 1e300},
    "b": {"type": "int", "scale": 3, "min": -5},
    "c": {"type": "bool"},
    "d": {"type": "str"},
    "e": {"required": False},
}
PROFILES = {
    "loose": build("loose", ProfileConfig.model_validate({"metrics": METRICS})),
    "ignoring": build("ignoring", ProfileConfig.model_validate({"metrics": METRICS, "extra": "ignore"})),
    "own": ModelProfile("own", Anything),
}
WAYS = {
    "json": {"decode": "json"},
    "json-profile": {"decode": "json", "profile": "loose"},
    "json-model": {"decode": "json", "profile": "own"},
    "json-device": {"decode": "json", "profile": "ignoring", "device": None, "device_key": "d"},
    "value": {"decode": "value", "metric": "a", "profile": "loose"},
    "kv": {"decode": "kv", "profile": "loose"},
    "kv-model": {"decode": "kv", "profile": "own"},
    "csv": {"decode": "csv", "columns": ("ts", "a", "", "d"), "profile": "ignoring"},
}


class Source(AdapterConfig):
    payload: PayloadConfig

    def payloads(self):
        return (self.payload,)


names = st.sampled_from(["a", "b", "c", "d", "e", "ts", "a.b", "", "\n", "x" * 300]) | st.text(max_size=4)
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(
        [1e308, -1e308, 2**63, 2**64, "é" * 300, "2026-01-01T00:00:00Z", "\0", "\u202e", "<script>", "1e999"]
    ),
)
documents = st.recursive(
    st.dictionaries(names, leaves, max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner | leaves, max_size=3),
    max_leaves=6,
)
cells = st.sampled_from(["1", "-0", "1e400", "nan", "true", "", '"', '"a b"', "on", "ü", "7" * 30, "\0", "1767225600"])
cuts = st.tuples(documents.map(json.dumps), st.integers(0, 60), st.binary(max_size=3))
plausible = st.fixed_dictionaries(
    {"d": st.text("abc 0", min_size=1, max_size=5)},
    optional={
        "a": st.floats(-1e3, 1e200),
        "b": st.integers(-3, 9),
        "c": st.booleans(),
        "e": leaves,
        "ts": st.integers(0, 10**19),
    },
)
payloads = st.one_of(
    plausible.map(lambda fields: json.dumps(fields).encode()),
    st.lists(plausible, min_size=1, max_size=3).map(lambda several: json.dumps(several).encode()),
    plausible.map(lambda fields: " ".join(f'{name}="{value}"' for name, value in fields.items()).encode()),
    st.floats(-1e3, 1e3).map(lambda number: f"{number}".encode()),
    st.tuples(st.integers(0, 10**19), st.floats(), st.text("abc ")).map(lambda row: "{},{},,{}".format(*row).encode()),
    st.binary(max_size=80),
    documents.map(lambda document: json.dumps(document).encode()),  # NaN and Infinity among them
    documents.map(lambda document: json.dumps(document, ensure_ascii=False).encode(errors="surrogatepass")),
    cuts.map(lambda cut: cut[0].encode()[: cut[1]] + cut[2] + cut[0].encode()[cut[1] :]),
    st.lists(cells, max_size=6).map(lambda row: ",".join(row).encode()),
    st.lists(st.tuples(names, cells), max_size=5).map(
        lambda pairs: " ".join(f"{name}={cell}" for name, cell in pairs).encode(errors="surrogatepass")
    ),
    st.integers(1, 40).map(lambda depth: b'{"a":' * depth + b"1" + b"}" * depth),
    st.integers(254, 260).map(lambda count: orjson.dumps({f"m{n}": n for n in range(count)})),
)


@pytest.mark.parametrize("way", WAYS)
@settings(max_examples=EACH)
@given(payload=payloads)
def test_whatever_comes_is_stored_or_refused_with_a_reason(way, payload):
    config = Source(name="source", type="any", payload=PayloadConfig(**{"device": "kitchen", **WAYS[way]}))
    entry = Intake(config.name, config.payloads(), PROFILES, Deliveries()).take(RawMessage(payload, ARRIVED))
    if entry.outcome is Outcome.STORED:
        assert not entry.reason
        assert entry.readings
        for reading in entry.readings:
            assert orjson.loads(reading.body)["values"] == reading.values
    else:
        assert entry.outcome is Outcome.REJECTED
        assert not entry.readings
        assert entry.reason.strip()
        assert entry.reason.isprintable()
        assert len(entry.reason) <= 500
    (account,) = explain(config, PROFILES, b"", payload, ARRIVED)
    assert (account.outcome, account.reason or "") == (entry.outcome, entry.reason)
    assert [json.loads(each.reading)["values"] for each in account.stored] == [each.values for each in entry.readings]
    assert [steps.passed for steps in account.readings].count(True) >= len(account.stored)
