"""The parts of paho's inside that the MQTT adapter uses: they move here before they move in production."""

import select
import socket

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from adapters.mqtt.client import Client
from adapters.mqtt.connection import V5, V311


def test_the_private_methods_are_there() -> None:
    assert callable(paho.Client._create_socket)
    assert callable(paho.Client._sock_recv)
    assert callable(paho.Client._handle_publish)
    assert callable(paho.Client._packet_queue)


def test_the_parser_says_how_long_a_packet_is_and_whether_it_is_between_two() -> None:
    parser = paho.Client(CallbackAPIVersion.VERSION2)._in_packet
    assert {"remaining_length", "have_remaining", "to_process", "packet"} <= set(parser)
    assert parser["command"] == 0


def test_a_message_has_its_topic_as_bytes() -> None:
    assert paho.MQTTMessage(1, b"a/\xff")._topic == b"a/\xff"


def test_paho_reads_through_our_stream() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = Client("contract", V5, clean=True, max_packet_bytes=100)
        client.connect("127.0.0.1", listener.getsockname()[1])
        broker, _ = listener.accept()
        with broker:
            assert broker.recv(1) == b"\x10"
            broker.sendall(b"\x20\x03\x00\x00\x00")
            answers: list[object] = []
            client.on_connect = lambda *arguments: answers.append(arguments[3])
            while not answers:
                client.loop_read()
            assert str(answers[0]) == "Success"
            assert client._stream is client.socket()
        client.release()


def test_packets_go_on_where_ours_were_cut_out() -> None:
    """Whole PUBLISH packets never reach paho; what lies between them, and what comes in pieces, does."""
    publish = b"\x30\x05\x00\x01a\x00%d"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = Client("contract", V5, clean=True, max_packet_bytes=100)
        heard: list[bytes] = []
        client.on_publications = lambda found: heard.extend(publication.payload for publication in found)
        client.connect("127.0.0.1", listener.getsockname()[1])
        broker, _ = listener.accept()
        with broker:
            stream = b"\x20\x03\x00\x00\x00" + publish % 1 + publish % 2 + b"\xd0\x00" + publish % 3
            within = b"\x30\x0b\x00\x01a\x00" + publish % 4  # a message that is a packet itself
            for piece in (stream, within[:6], within[6:] + publish % 5):
                broker.sendall(piece)
                assert select.select([client._stream], [], [], 5.0)[0]
                client._read()
        client.release()
    assert heard == [b"1", b"2", b"3", publish % 4, b"5"]


def test_messages_are_acknowledged_in_one_write_and_in_order_with_the_rest() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = Client("contract", V311, clean=True, max_packet_bytes=100)
        client.connect("127.0.0.1", listener.getsockname()[1])
        broker, _ = listener.accept()
        with broker:
            assert broker.recv(1000)[:1] == b"\x10"
            client.acknowledge([1, 0x1234])
            assert broker.recv(1000) == b"\x40\x02\x00\x01" + b"\x40\x02\x12\x34"
            client.acknowledge([5])
            client.disconnect()
            assert broker.recv(1000, socket.MSG_WAITALL) == b"\x40\x02\x00\x05" + b"\xe0\x00"
        client.release()
