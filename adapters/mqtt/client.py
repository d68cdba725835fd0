"""paho's client, driven by one green thread. The only module that knows paho's inside."""

import struct
from collections.abc import Callable, Sequence
from typing import Any, cast

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MessageType, MQTTErrorCode, MQTTProtocolVersion

from adapters.mqtt.moderation import Moderation
from adapters.mqtt.publication import Publication, parse, split
from adapters.mqtt.stream import Stream
from gateway import runtime

PACKETS_A_TURN = 512
EXCERPT_BYTES = 4096
"""What is passed on of a message that is too long."""
FLUSH_S = 0.02
MISC_S = 1.0
_PUBACK = struct.Struct("!BBH")
"""Type, remaining length, packet identifier: MQTT 3.1.1, 3.4, and of MQTT 5 what means success (3.4.2.1)."""


class Client(paho.Client):
    """One connection at most, in its whole life, so that no acknowledgement can go to a later one.

    One green thread, the owner, calls ``connect``, ``pump`` and at last ``release``. ``ack`` may be
    called from any, and ``acknowledge``; they write at once, and what the socket doesn't take is written by ``pump``.

    Parameters
    ----------
    client_id
        Names the session at the broker.
    version
        MQTT 5 or 3.1.1.
    clean
        Whether to start without, and leave behind no, session (3.1.1; for 5 ``connect`` says it).
    max_packet_bytes
        Of a longer packet the rest is read and forgotten; the message says so.
    """

    def __init__(self, client_id: str, version: MQTTProtocolVersion, *, clean: bool, max_packet_bytes: int) -> None:
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id,
            clean_session=None if version == MQTTProtocolVersion.MQTTv5 else clean,
            protocol=version,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        self.on_publications: Callable[[Sequence[Publication]], None] = _forget
        """Gets messages that came together; never raises, paho's parser wouldn't survive it (docs/traps.md 2.3)."""
        self.unsettled: Callable[[], int] = int
        """Tells how many messages wait to be acknowledged."""
        self.slack_s: Callable[[], float] = float
        """Tells for how many seconds messages may wait at the broker, and nobody sees them later."""
        self.on_message = self._on_qos_2
        self._stream: Stream | None = None
        self._max_packet_bytes = max_packet_bytes
        self._has_properties = version == MQTTProtocolVersion.MQTTv5
        self._moderation = Moderation()
        self._next_misc = 0.0

    @property
    def closed(self) -> bool:
        """Whether the connection has ended."""
        return self.socket() is None

    @property
    def error(self) -> OSError | None:
        """What ended the connection, if the socket said so."""
        return self._stream.error if self._stream is not None else None

    def pump(self, timeout_s: float) -> None:
        """Wait at most ``timeout_s`` for bytes, handle what is there, write what waits."""
        assert self._stream is not None
        if self._stream.pending() or self._wait(self._stream, timeout_s):
            self._read()
        if self.want_write():
            self.loop_write()
        if runtime.monotonic() >= self._next_misc:
            self._next_misc = runtime.monotonic() + MISC_S
            self.loop_misc()
        if self._stream.pending():
            runtime.sleep()  # the next call won't wait: let others run

    def acknowledge(self, mids: Sequence[int]) -> None:
        """Acknowledge messages of QoS 1, in one write: ``ack`` would make one for each."""
        acknowledgements = b"".join([_PUBACK.pack(0x40, 2, mid) for mid in mids])
        self._packet_queue(MessageType.PUBACK, acknowledgements, 0, 1)

    def release(self) -> None:
        """Close what is open; the owner's last call."""
        if self._stream is not None:
            self._stream.release()

    def _wait(self, stream: Stream, timeout_s: float) -> bool:
        """Wait until there may be bytes; return False if there are none in time."""
        if self._moderation.pause_s and not stream.was_full:
            runtime.sleep(self._moderation.pause_now(self.unsettled()))
            return True
        return runtime.wait_readable(stream.fileno(), self._patience_s(timeout_s))

    def _patience_s(self, timeout_s: float) -> float:
        # A broker that takes nothing is rare: asking now and then does, and needs no second waiter.
        return min(timeout_s, FLUSH_S) if self.want_write() else timeout_s

    def _read(self) -> None:
        """Handle what is here; not so much at once that others wait for long."""
        stream, left = self._stream, PACKETS_A_TURN
        assert stream is not None
        while left > 0 and not self.closed and stream.read_ahead():
            taken = self._take_publications(stream, left)
            if not taken and self.loop_read():
                return
            left -= taken or 1
            if not stream.pending():
                break
        # whoever waits for an acknowledgement sees how long it takes
        slack_s = 0.0 if self.unsettled() else self.slack_s()
        self._moderation.looked(runtime.monotonic(), PACKETS_A_TURN - left, slack_s)

    def _take_publications(self, stream: Stream, most: int) -> int:
        """Take the messages that are here whole and come next; return how many."""
        if self._in_packet["command"]:  # paho is in the middle of a packet
            return 0
        data, at = stream.ahead()
        has_properties, limit = self._has_properties, self._max_packet_bytes
        found, end = split(data, at, runtime.now(), has_properties=has_properties, most=most, most_bytes=limit)
        stream.skip_to(end)
        if found:
            self._pass_on(found)
        return len(found)

    def _pass_on(self, publications: Sequence[Publication]) -> None:
        self._moderation.spread(publications, runtime.monotonic())
        self.on_publications(publications)

    def _create_socket(self) -> Stream:
        self._stream = Stream(cast("Any", super()._create_socket()))
        return self._stream

    def _handle_publish(self) -> MQTTErrorCode:
        # paho makes a message object with a condition variable in it, decodes the topic twice and unpacks
        # the properties: docs/decisions/0008-publish-packets-are-taken-apart-here.md.
        header, body = self._in_packet["command"], bytes(self._in_packet["packet"])
        if header & 0b0100:
            return super()._handle_publish()  # QoS 2, which we never ask for
        try:
            publication = parse(header, body, 0, len(body), runtime.now(), has_properties=self._has_properties)
        except ValueError:
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        self._mark(publication)
        self._pass_on([publication])
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _mark(self, publication: Publication) -> None:
        """Let the message of the packet that is being handled say so where it isn't whole."""
        length: int = self._in_packet["remaining_length"]
        if length > self._max_packet_bytes:
            publication.flaw = f"message of {length} bytes, at most {self._max_packet_bytes} are taken"
            publication.size = len(publication.payload) + length - len(self._in_packet["packet"])
            publication.payload = publication.payload[:EXCERPT_BYTES]

    def _on_qos_2(self, _client: object, _userdata: object, message: paho.MQTTMessage) -> None:
        # The public way to the topic raises where it isn't UTF-8 (docs/traps.md 2.9).
        topic, payload = message._topic, bytes(message.payload)  # noqa: SLF001
        publication = Publication(
            payload, runtime.now(), topic, acknowledged=True, packet_id=message.mid, qos=message.qos
        )
        publication.redelivered, publication.retained = message.dup, message.retain
        self._pass_on([publication])

    def _sock_recv(self, bufsize: int) -> bytes:
        data = super()._sock_recv(bufsize)
        packet = self._in_packet
        if len(data) > 1 and len(packet["packet"]) > self._max_packet_bytes:
            packet["to_process"] -= len(data) - 1
            return data[:1]  # none would mean the end of the stream
        return data


def _forget(_publications: Sequence[Publication]) -> None:
    """Take messages that nobody asked for."""
