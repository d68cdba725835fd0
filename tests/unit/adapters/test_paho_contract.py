"""The parts of paho's inside that the MQTT adapter uses: they move here before they move in production."""

import socket

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from adapters.mqtt.client import Client
from adapters.mqtt.connection import V5


def test_the_private_methods_are_there() -> None:
    assert callable(paho.Client._create_socket)
    assert callable(paho.Client._sock_recv)
    assert callable(paho.Client._handle_publish)


def test_the_parser_keeps_what_too_long_needs() -> None:
    parser = paho.Client(CallbackAPIVersion.VERSION2)._in_packet
    assert {"remaining_length", "have_remaining", "to_process", "packet"} <= set(parser)


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
