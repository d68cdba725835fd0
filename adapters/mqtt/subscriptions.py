"""What to subscribe to for a list of routes, and which copy of a message counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from zlib import crc32

from gateway.decoding.topics import TopicPattern


@dataclass(frozen=True, slots=True)
class Subscription:
    """One topic filter, for all the routes that come to it."""

    pattern: TopicPattern
    qos: int
    state: bool = False
    """Whether the topics tell a state, so that what is retained there is wanted whenever we connect."""

    @property
    def filter(self) -> str:
        """What the broker is asked for."""
        return self.pattern.filter

    @property
    def identifier(self) -> int:
        """Return a number for the filter, the same in each session (MQTT 5, 3.8.2.1.2: 1 to 268,435,455)."""
        return crc32(self.filter.encode()) % 268_435_455 + 1


def subscriptions(
    routes: Sequence[tuple[str, int]], availability: TopicPattern | None = None
) -> tuple[Subscription, ...]:
    """Return one subscription for each filter among ``(topic pattern, QoS)``, in their order.

    QoS 2 is subscribed as 1: docs/decisions/0004-qos-2-is-taken-as-qos-1.md. Availability comes first, so
    that of several copies its own counts: a state may be retained, and is sent for no other subscription.
    """
    found: dict[str, Subscription] = {}
    if availability is not None:
        found[availability.filter] = Subscription(availability, 1, state=True)
    for topic, qos in routes:
        pattern = TopicPattern(topic)
        first = found.get(pattern.filter, Subscription(pattern, 0))
        found[pattern.filter] = Subscription(first.pattern, max(first.qos, min(qos, 1)), first.state)
    return tuple(found.values())


def digest(wanted: Sequence[Subscription]) -> str:
    """Return a short name for this set of subscriptions."""
    text = "\n".join(sorted(f"{each.qos} {each.filter}" for each in wanted))
    return f"{crc32(text.encode()):08x}"


class Copies:
    """Picks one among the copies of a message.

    Where filters overlap, an MQTT 5 broker may send a message once for each that matches (3.3.4;
    Mosquitto does). Each copy then says by identifier which subscription it is for. The first
    subscription that matches decides, as for routes; a copy for a subscription that an earlier
    configuration left in the session is taken, for it may be the only one.
    """

    def __init__(self, wanted: Sequence[Subscription]) -> None:
        self._wanted = tuple(wanted)
        self._ours = frozenset(each.identifier for each in wanted)
        self.possible = any(overlap(a.filter, b.filter) for a, b in combinations(wanted, 2))
        """Whether two of the subscriptions can match one topic."""

    def counts(self, topic: bytes, identifiers: Sequence[int]) -> bool:
        """Tell whether this copy is the one to take."""
        if self._ours.isdisjoint(identifiers):
            return True
        text = topic.decode("utf-8", "surrogateescape")
        first = next((each for each in self._wanted if each.pattern.match(text) is not None), None)
        return first is None or first.identifier in identifiers


def overlap(one: str, other: str) -> bool:
    """Tell whether some topic may match both filters; taking too many for overlapping does no harm."""
    left, right = one.split("/"), other.split("/")
    for a, b in zip(left, right, strict=False):
        if "#" in (a, b):
            return True
        if a != b and "+" not in (a, b):
            return False
    rest = left[len(right) :] or right[len(left) :]
    return rest in ([], ["#"])  # "a/#" matches "a" too
