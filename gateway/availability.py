"""Topics on which a device, or the broker in its name, says whether it is there: birth and last will."""

import orjson

from gateway.decoding.topics import TopicPattern
from gateway.decoding.words import shown
from gateway.errors import Rejected
from gateway.model import check_device_id


class Availability:
    """How a source's devices say that they come and go.

    Parameters
    ----------
    topic
        Pattern of the topics, with ``{device}``.
    online, offline
        The payloads, letter by letter. ``{"state": …}`` with one of them is understood too, as Zigbee2MQTT writes it.

    Raises
    ------
    ValueError
        The pattern is impossible or names no device, or the payloads can't be told apart.
    """

    def __init__(self, topic: str, online: str = "online", offline: str = "offline") -> None:
        self.pattern = TopicPattern(topic)
        if "device" not in self.pattern.names:
            raise ValueError("availability: expected a topic with {device}")
        if online == offline:
            raise ValueError("payload_offline: expected another payload than payload_online")
        self._states = {online: True, offline: False}

    def device(self, topic: str) -> str | None:
        """Return whose state is told on ``topic``; None: nobody's. Raises ``Rejected`` if it can't be a device."""
        found = self.pattern.match(topic)
        if found is None:
            return None
        try:
            return check_device_id(found["device"])
        except ValueError as error:
            raise Rejected(f"device id: {error}, got {shown(found['device'])}") from error

    def online(self, payload: bytes) -> bool | None:
        """Return whether the device is there; None: nothing is said, as when a retained state is cleared.

        Raises
        ------
        Rejected
            It is neither of the two.
        """
        if not payload:
            return None
        text = payload.decode(errors="backslashreplace")
        state = self._states.get(text, self._states.get(_state_in(payload)))
        if state is None:
            expected = " or ".join(shown(word) for word in self._states)
            raise Rejected(f"availability: expected {expected}, got {shown(text)}")
        return state


def _state_in(payload: bytes) -> str:
    try:
        document = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return ""
    state = document.get("state") if isinstance(document, dict) else None
    return state if isinstance(state, str) else ""
