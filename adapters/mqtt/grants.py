"""What we asked a broker for over one connection, and what it granted."""

from collections.abc import Iterable, Sequence

from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from adapters.mqtt import packets
from adapters.mqtt.client import Client
from adapters.mqtt.subscriptions import Subscription
from gateway import runtime

ASK_AGAIN_S = 30.0
"""What is refused is asked for again this often: permissions may be mended while the connection stands."""


class Grants:
    """Subscribes, and keeps the broker's answers.

    Parameters
    ----------
    client
        Connected by the time of ``ask``.
    wanted
        All that we want.
    identified
        Whether each message shall say for which subscription it is (MQTT 5).
    """

    def __init__(self, client: Client, wanted: Sequence[Subscription], *, identified: bool) -> None:
        self._client = client
        self._wanted = tuple(wanted)
        self._identified = identified
        self._open: dict[int, Subscription] = {}
        self._answers: dict[Subscription, ReasonCode] = {}
        self._asked_at = 0.0
        self.refused: tuple[Subscription, ...] = ()
        """What the broker doesn't let us have, as of its last answer."""
        self.news = False
        """Set when the broker has answered all; for the owner to clear."""
        client.on_subscribe = self._on_subscribe

    @property
    def waiting_s(self) -> float:
        """How long the broker has owed us an answer; 0: it owes none."""
        return runtime.monotonic() - self._asked_at if self._open else 0.0

    @property
    def due(self) -> bool:
        """Whether it is time to ask again for what was refused."""
        return bool(self.refused) and not self._open and runtime.monotonic() - self._asked_at > ASK_AGAIN_S

    @property
    def none(self) -> bool:
        """Whether the broker lets us have nothing at all."""
        return len(self.refused) == len(self._wanted)

    def ask(self, which: Iterable[Subscription] | None = None) -> None:
        """Subscribe to all, or to some."""
        self._asked_at = runtime.monotonic()
        for each in self._wanted if which is None else which:
            mid = self._subscribe(each)
            if mid is not None:
                self._open[mid] = each

    def in_words(self) -> str:
        """Return what is refused, or granted with less than was asked for; empty: all is well."""
        return "; ".join(filter(None, (self._verdict(each) for each in self._wanted)))

    def _verdict(self, wanted: Subscription) -> str:
        answer = self._answers.get(wanted)
        if answer is None:
            return ""
        if answer.is_failure:
            return f"refuses to subscribe {wanted.filter}: {str(answer).lower()}"
        if answer.value < wanted.qos:
            return f"grants {wanted.filter} only QoS {answer.value}: what comes while the gateway is away is lost"
        return ""

    def _subscribe(self, wanted: Subscription) -> int | None:
        if self._client.protocol != MQTTProtocolVersion.MQTTv5:
            return self._client.subscribe(wanted.filter, wanted.qos)[1]
        properties = packets.subscribe_properties(wanted) if self._identified else None
        return self._client.subscribe([(wanted.filter, packets.subscribe_options(wanted))], properties=properties)[1]

    def _on_subscribe(self, _c: object, _u: object, mid: int, reasons: list[ReasonCode], _p: object) -> None:
        # Never raises: paho's parser wouldn't survive it (docs/traps.md 2.3).
        wanted = self._open.pop(mid, None)
        if wanted is not None and reasons:
            self._answers[wanted] = reasons[0]
        if not self._open:
            self.refused = tuple(each for each, answer in self._answers.items() if answer.is_failure)
            self.news = True
