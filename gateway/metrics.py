"""What Prometheus scrapes, read from memory at each scrape: docs/operations.md says what each metric means.

Nothing here waits for the disk: the journal's size is what ``Soundings`` saw last. All labels are bounded by the
configuration: sources, states, outcomes, but no devices.
"""

import platform
from collections.abc import Iterator, Mapping
from typing import Protocol, get_args

from prometheus_client.core import (
    CollectorRegistry,
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from gateway.devices import State
from gateway.logs import dropped_lines
from gateway.meters import Distribution, Meters
from gateway.status import Status
from gateway.supervisor import SourceState

_OPEN_METRICS = "application/openmetrics-text"


class Viewers(Protocol):
    """What is asked of the web; each answers at once, from memory."""

    def clients(self) -> int:
        """Return how many are connected."""

    def sessions(self) -> int:
        """Return how many sessions there are."""

    def waiting_bytes(self) -> int:
        """Return what waits for them together."""


class Metrics(Collector):
    """Everything that is scraped; hub thread only."""

    def __init__(self, status: Status, viewers: Viewers) -> None:
        self._status = status
        self._viewers = viewers
        # its own, without the collectors of the default one
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def render(self, accept: str) -> tuple[bytes, str]:
        """Return the metrics in a format that the header ``accept`` names, and its content type."""
        # the library's choose_encoder fails on versions that are none
        if _OPEN_METRICS in accept:
            text = openmetrics.generate_latest(self._registry)  # type: ignore[no-untyped-call]  # as the library has it
            return text, f"{_OPEN_METRICS}; version=1.0.0; charset=utf-8"
        return generate_latest(self._registry), CONTENT_TYPE_PLAIN_0_0_4

    def collect(self) -> Iterator[Metric]:
        """Yield every metric as it is now."""
        yield from self._whole()
        yield from self._messages()
        yield from self._sources()
        yield from self._journal()
        yield from self._live()
        yield from _times(self._status.pipeline.meters)

    def _whole(self) -> Iterator[Metric]:
        labels = {"version": self._status.version, "python": platform.python_version()}
        yield InfoMetricFamily(_name("build"), "The version that runs", value=labels)
        yield _gauge("ready", "1 if readings can be taken and kept, as /readyz says", not self._status.unready())
        problems = len(self._status.problems())
        hub = self._status.hub
        text = "The longest time in the last 60 s for which the hub, the one thread of nearly everything, was busy"
        yield _gauge("hub_longest_turn_seconds", text, hub.lag_ms()["max"] / 1000)
        turns = CounterMetricFamily(
            _name("hub_long_turns"), "Times that the hub was busy for 50 ms of CPU", hub.long_turns
        )
        yield turns
        text = "Log lines that found no room, as nobody took what was written before"
        yield CounterMetricFamily(_name("log_lines_dropped"), text, dropped_lines())
        yield _gauge("problems", "Problems that gatewayctl status names; 0: all is well", problems)

    def _messages(self) -> Iterator[Metric]:
        ledger = self._status.pipeline.ledger
        received = _counter("messages_received", "Messages that came in since the start", "source")
        ended = _counter("messages", "Messages that came to their end since the start", "source", "outcome")
        held = GaugeMetricFamily(_name("messages_in_flight"), "Messages in and not ended yet", labels=["source"])
        readings = _counter("readings", "Readings that were committed since the start", "source")
        for source, account in ledger.accounts():
            for outcome, count in account.since_start().items():
                ended.add_metric([source, outcome], count)
            received.add_metric([source], sum(account.since_start().values()) + account.in_flight)
            held.add_metric([source], account.in_flight)
            readings.add_metric([source], self._status.pipeline.meters.readings[source])
        yield from (received, ended, held, readings)

    def _sources(self) -> Iterator[Metric]:
        states = GaugeMetricFamily(
            _name("source_state"), "1 for the state that a source is in", labels=["source", "state"]
        )
        skews = GaugeMetricFamily(
            _name("source_clock_skew_seconds"),
            "How far a source's own times are behind the gateway's",
            labels=["source"],
        )
        for supervisor in self._status.supervisors:
            name = supervisor.config.name
            for state in get_args(SourceState):
                states.add_metric([name, state], supervisor.state == state)
            skew_s = self._status.pipeline.skew.of(name)
            if skew_s is not None:
                skews.add_metric([name], skew_s)
        yield from (states, skews)

    def _journal(self) -> Iterator[Metric]:
        journal, stats = self._status.journal, self._status.soundings.journal
        yield _gauge("journal_writable", "1 if the last commit came through", journal.writable)
        yield _gauge("journal_backlog_messages", "Messages that wait to be committed", journal.backlog)
        if stats is not None:
            yield _gauge("journal_readings", "Readings in the journal", stats.readings)
            yield _gauge("journal_bytes", "Size of the journal on the disk", stats.bytes)
        if stats is not None and stats.oldest_ts is not None:
            name = "journal_oldest_reading_timestamp_seconds"
            yield _gauge(name, "Time of the oldest reading", stats.oldest_ts)

    def _live(self) -> Iterator[Metric]:
        states = self._status.devices.states()
        devices: Mapping[str, int] = {state: states[state] for state in get_args(State)}
        family = GaugeMetricFamily(_name("devices"), "Devices by state", labels=["state"])
        for state, count in devices.items():
            family.add_metric([state], count)
        yield family
        yield _gauge("clients", "Browsers and programs that watch readings", self._viewers.clients())
        yield _gauge("sessions", "Socket.IO sessions, of operators too", self._viewers.sessions())
        yield _gauge("mailbox_bytes", "What waits in this process for clients", self._viewers.waiting_bytes())


def _times(meters: Meters) -> Iterator[Metric]:
    yield _histogram("commit_seconds", "What commits with readings took", meters.commit_s)
    text = "From the arrival of a commit's first message until its readings went to the rooms; each of these counts"
    yield _histogram("emission_seconds", text, meters.emission_s)
    yield _histogram("hub_lag_seconds", "How late the hub came to what was due, four times a second", meters.hub_lag_s)


def _name(name: str) -> str:
    return f"telemetry_gateway_{name}"


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(_name(name), text, value=value)


def _counter(name: str, text: str, *labels: str) -> CounterMetricFamily:
    return CounterMetricFamily(_name(name), text, labels=labels)


def _histogram(name: str, text: str, seen: Distribution) -> Metric:
    family = HistogramMetricFamily(_name(name), text)
    steps = [("+Inf" if bound == float("inf") else repr(bound), float(count)) for bound, count in seen.cumulative()]
    family.add_metric([], buckets=steps, sum_value=seen.sum)
    return family
