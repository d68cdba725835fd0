"""The MQTT adapter on a real broker, and on one that misbehaves."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.adapter_process import AdapterProcess
from tests.support.fake_broker import (
    ACCEPT_5,
    ACCEPT_311,
    CONNECT,
    PINGREQ,
    PUBACK,
    REFUSE_VERSION,
    SUBSCRIBE,
    FakeBroker,
    packet,
    publish,
    suback,
)
from tests.support.mosquitto import Mosquitto
from tests.support.ports import wait_until

NO_SECRETS = """{
"defaultACLAccess": {"publishClientSend": true, "publishClientReceive": true, "subscribe": true, "unsubscribe": true},
"anonymousGroup": "all", "groups": [{"groupname": "all", "roles": [{"rolename": "all"}]}],
"roles": [{"rolename": "all", "acls": [{"acltype": "subscribePattern", "topic": "secret/#", "allow": false}]}]
}"""
GRANTED = {CONNECT: lambda _: ACCEPT_5, SUBSCRIBE: suback(1)}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker") as running:
        yield running


def table(port: int, *topics: str, **more: object) -> dict[str, Any]:
    routes = [{"topic": topic, "device_key": "id"} for topic in topics or ("sensors/{device}",)]
    return {"name": "broker", "type": "mqtt", "port": port, "routes": routes, **more}


def payloads(adapter: AdapterProcess) -> list[bytes]:
    return [message["payload"] for message in adapter.messages]


def remarks(adapter: AdapterProcess) -> list[str | None]:
    return [event["remark"] for event in adapter.events if event["event"] == "up"]


# ---- at least once


def test_what_comes_while_we_are_away_waits(broker: Mosquitto) -> None:
    with AdapterProcess(table(broker.port)) as adapter:
        adapter.run_until_up()
        adapter.stop()
        broker.publish_all([("sensors/a", b"%d" % n) for n in range(10)])
        adapter.run_until_up()
        adapter.wait_messages(10)
        assert payloads(adapter) == [b"%d" % n for n in range(10)]


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_what_was_not_settled_comes_again_as_redelivered(broker: Mosquitto, protocol: str) -> None:
    with AdapterProcess(table(broker.port, protocol=protocol), settle=False) as adapter:
        adapter.run_until_up()
        broker.publish("sensors/a", b"once more")
        (first,) = adapter.wait_messages(1)
        assert first["acknowledged"]
        assert not first["redelivered"]
        adapter.stop()
        adapter.run_until_up()
        second = adapter.wait_messages(2)[1]
        assert second["payload"] == b"once more"
        assert second["redelivered"]
        assert second["packet_id"] == first["packet_id"]


def test_what_was_settled_does_not_come_again(broker: Mosquitto) -> None:
    with AdapterProcess(table(broker.port), settle=False) as adapter:
        adapter.run_until_up()
        broker.publish_all([("sensors/a", b"%d" % n) for n in range(300)])
        adapter.wait_messages(300)
        adapter.settle()
        broker.publish("sensors/a", b"last")
        adapter.wait_messages(301)
        adapter.stop()
        adapter.run_until_up()
        adapter.wait_messages(302)
        adapter.settled_down()
        assert payloads(adapter)[301:] == [b"last"]


def test_a_late_settle_acknowledges_nothing_of_the_next_connection() -> None:
    with FakeBroker(GRANTED) as broker, AdapterProcess(table(broker.port), settle=False) as adapter:
        adapter.run_until_up()
        broker.send(publish(b"sensors/a", b"old", mid=1))
        adapter.wait_messages(1)
        adapter.stop()
        adapter.settle()
        adapter.run_until_up()
        adapter.settle()
        broker.send(publish(b"sensors/a", b"new", mid=2))
        adapter.wait_messages(2)
        adapter.settle()
        wait_until(lambda: broker.count(PUBACK), "an acknowledgement")
        assert [body[:2] for kind, body in broker.received if kind == PUBACK] == [b"\x00\x02"]


def test_over_a_restart_of_the_broker_nothing_is_lost(broker: Mosquitto) -> None:
    with AdapterProcess(table(broker.port)) as adapter:
        adapter.run_until_up()
        broker.publish_all([("sensors/a", b"%d" % n) for n in range(200)])
        broker.restart()
        adapter.wait_down()
        broker.publish_all([("sensors/a", b"%d" % n) for n in range(200, 400)])
        adapter.run_until_up()
        adapter.wait(lambda: len(set(payloads(adapter))) == 400, "all 400 messages")


def test_more_than_the_receive_maximum_flows_as_it_is_settled(broker: Mosquitto) -> None:
    with AdapterProcess(table(broker.port), settle=False) as adapter:
        adapter.run_until_up()
        broker.publish_all([("sensors/a", b"%d" % n) for n in range(1200)])
        adapter.wait_messages(1000)
        adapter.settled_down()
        assert len(adapter.messages) == 1000
        adapter.settle()
        adapter.wait_messages(1200)


def test_qos_2_is_taken_as_qos_1(broker: Mosquitto) -> None:
    routes = [{"topic": "sensors/{device}", "qos": 2}]
    with AdapterProcess(table(broker.port) | {"routes": routes}) as adapter:
        adapter.run_until_up()
        broker.publish("sensors/a", b"exactly", qos=2)
        assert adapter.wait_messages(1)[0]["acknowledged"]
        assert "(QoS 1)" in broker.log
        assert "(QoS 2)" not in broker.log


def test_qos_0_expects_no_acknowledgement(broker: Mosquitto) -> None:
    with AdapterProcess(table(broker.port)) as adapter:
        adapter.run_until_up()
        broker.publish("sensors/a", b"at most", qos=0)
        (message,) = adapter.wait_messages(1)
        assert not message["acknowledged"]
        assert message["packet_id"] is None


def test_retained_messages_come_once_and_say_so(broker: Mosquitto) -> None:
    broker.publish("sensors/a", b"kept", retain=True)
    with AdapterProcess(table(broker.port)) as adapter:
        adapter.run_until_up()
        assert adapter.wait_messages(1)[0]["retained"]
        adapter.stop()
        adapter.run_until_up()
        broker.publish("sensors/a", b"fresh")
        adapter.wait_messages(2)
        assert payloads(adapter) == [b"kept", b"fresh"]


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_state_that_is_retained_comes_at_each_connection_and_once(broker: Mosquitto, protocol: str) -> None:
    settings = table(broker.port, "sensors/#", availability="sensors/{device}/status", protocol=protocol)
    broker.publish("sensors/a/status", b"online", retain=True)
    with AdapterProcess(settings) as adapter:
        for number in range(1, 4):
            adapter.run_until_up()
            adapter.wait_messages(number)
            adapter.settled_down()
            adapter.stop()
        if protocol == "5":
            assert len(adapter.messages) == 3
        assert {(message["payload"], message["retained"]) for message in adapter.messages} == {(b"online", True)}


def test_the_session_is_asked_for_as_it_is_configured() -> None:
    with FakeBroker(GRANTED) as broker, AdapterProcess(table(broker.port, session_expiry="2h")) as adapter:
        adapter.run_until_up()
        (connect,) = (body for kind, body in broker.received if kind == CONNECT)
        assert not connect[7] & 2, "no clean start"
        assert b"\x11" + (7200).to_bytes(4, "big") in connect, "session expiry interval: MQTT 5, 3.1.2.11.2"
        assert b"\x21" + (1000).to_bytes(2, "big") in connect, "receive maximum: MQTT 5, 3.1.2.11.3"


# ---- one message, one delivery


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_routes_that_overlap_take_a_message_once(broker: Mosquitto, protocol: str) -> None:
    adapter_table = table(broker.port, "a/{device}", "{device}/b", "#", "a/+", protocol=protocol)
    with AdapterProcess(adapter_table) as adapter:
        adapter.run_until_up()
        broker.publish_all([("a/b", b"1"), ("x/b", b"2"), ("a/x", b"3"), ("y/z/0", b"4")])
        adapter.wait_messages(4)
        adapter.settled_down()
        assert payloads(adapter) == [b"1", b"2", b"3", b"4"]


def test_other_routes_leave_no_subscription_behind(broker: Mosquitto) -> None:
    with AdapterProcess(table(broker.port, "a/{device}", "b/{device}")) as adapter:
        adapter.run_until_up()
        adapter.stop()
    with AdapterProcess(table(broker.port, "b/{device}")) as adapter:
        adapter.run_until_up()
        broker.publish_all([("a/x", b"no"), ("b/x", b"yes")])
        adapter.wait_messages(1)
        adapter.settled_down()
        assert payloads(adapter) == [b"yes"]


# ---- what a payload and a topic may be


def test_large_messages_arrive_whole_up_to_the_limit(broker: Mosquitto) -> None:
    with AdapterProcess(table(broker.port, max_payload="2MiB")) as adapter:
        adapter.run_until_up()
        broker.publish_all([("sensors/a", b"x" * 2_000_000), ("sensors/a", b"after it")])
        large, small = adapter.wait_messages(2)
        assert (large["size"], large["flaw"]) == (2_000_000, "")
        assert small["payload"] == b"after it"


def test_messages_beyond_the_limit_are_flawed_one_by_one(broker: Mosquitto) -> None:
    with AdapterProcess(table(broker.port)) as adapter:
        adapter.run_until_up()
        broker.publish_all(
            [("sensors/a", b"x" * 10_000_000), ("sensors/b", b"between"), ("sensors/a", b"y" * 1_100_000)]
        )
        first, between, second = adapter.wait_messages(3)
        assert first["flaw"].endswith("at most 1048576 are taken")
        assert first["flaw"].startswith("message of 100000")
        assert (first["topic"], first["size"], first["whole_size"]) == (b"sensors/a", 4096, 10_000_000)
        assert (between["payload"], between["flaw"]) == (b"between", "")
        assert second["flaw"]
        assert second["whole_size"] == 1_100_000
        broker.publish("sensors/a", b"after it")
        assert adapter.wait_messages(4)[3]["payload"] == b"after it"
        assert peak_memory_bytes(adapter.pid) < 80_000_000


def test_a_topic_that_is_not_utf8_arrives_as_it_is() -> None:
    with FakeBroker(GRANTED) as broker, AdapterProcess(table(broker.port)) as adapter:
        adapter.run_until_up()
        broker.send(publish(b"sensors/\xff\xfe", b"odd", mid=7, dup=True) + publish(b"sensors/a", b"even"))
        odd, even = adapter.wait_messages(2)
        assert (odd["topic"], odd["redelivered"], odd["packet_id"]) == (b"sensors/\xff\xfe", True, 7)
        assert even["payload"] == b"even"


def test_packets_may_come_in_any_pieces() -> None:
    stream = b"".join(publish(b"sensors/a", b"%d" % n * 50, mid=n) for n in range(1, 40))
    with FakeBroker(GRANTED) as broker, AdapterProcess(table(broker.port)) as adapter:
        adapter.run_until_up()
        for start in range(0, len(stream), 7):
            broker.send(stream[start : start + 7])
        adapter.wait_messages(39)
        assert payloads(adapter) == [b"%d" % n * 50 for n in range(1, 40)]


# ---- brokers that refuse, fall silent, or are of another time


def test_an_older_broker_is_spoken_to_in_311() -> None:
    answers = {
        CONNECT: lambda body: ACCEPT_311 if body[6] == 4 else REFUSE_VERSION,
        SUBSCRIBE: suback(1, version=4),
    }
    with FakeBroker(answers) as broker, AdapterProcess(table(broker.port)) as adapter:
        adapter.run_until_up()
        adapter.stop()
        adapter.run_until_up()
        versions = [body[6] for kind, body in broker.received if kind == CONNECT]
        assert versions == [5, 4, 4], "tried once, then remembered"


def test_a_wrong_password_is_named(tmp_path: Path) -> None:
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, "gateway", "right"], check=True, capture_output=True)
    (tmp_path / "secret").write_text("right\n")
    (tmp_path / "wrong").write_text("wrong\n")
    with Mosquitto(tmp_path / "broker", lines=[f"password_file {passwords}"], anonymous=False) as broker:
        login = {"username": "gateway", "password_file": str(tmp_path / "secret")}
        with AdapterProcess(table(broker.port, **login)) as adapter:
            adapter.run_until_up()
        with AdapterProcess(table(broker.port, **login | {"password_file": str(tmp_path / "wrong")})) as adapter:
            adapter.run()
            assert adapter.wait_down() == f"broker 127.0.0.1:{broker.port}: refuses us: not authorized"
        with AdapterProcess(table(broker.port, **login | {"password_file": str(tmp_path / "none")})) as adapter:
            adapter.run()
            assert adapter.wait_down() == f"password_file {tmp_path / 'none'}: no such file or directory"


def test_a_refused_subscription_is_named() -> None:
    with (
        FakeBroker(GRANTED | {SUBSCRIBE: suback(0x87)}) as broker,
        AdapterProcess(table(broker.port)) as adapter,
    ):
        adapter.run()
        assert adapter.wait_down() == f"broker 127.0.0.1:{broker.port}: refuses to subscribe sensors/+: not authorized"
        assert adapter.count("up") == 0


def test_what_is_granted_flows_beside_what_is_refused(tmp_path: Path) -> None:
    rules = tmp_path / "rules.json"
    rules.write_text(NO_SECRETS)
    plugin = next(Path("/usr/lib").glob("*/mosquitto_dynamic_security.so"))
    lines = [f"plugin {plugin}", f"plugin_opt_config_file {rules}"]
    with (
        Mosquitto(tmp_path / "broker", lines=lines) as broker,
        AdapterProcess(table(broker.port, "secret/{device}", "open/{device}")) as adapter,
    ):
        adapter.run_until_up()
        refusal = "refuses to subscribe secret/+: not authorized"
        assert remarks(adapter) == [f"broker 127.0.0.1:{broker.port}: {refusal}"]
        broker.publish_all([("secret/a", b"no"), ("open/a", b"yes")])
        adapter.wait_messages(1)
        assert payloads(adapter) == [b"yes"]


def test_less_than_was_asked_for_is_told() -> None:
    with FakeBroker(GRANTED | {SUBSCRIBE: suback(0)}) as broker, AdapterProcess(table(broker.port)) as adapter:
        adapter.run_until_up()
        lost = "grants sensors/+ only QoS 0: what comes while the gateway is away is lost"
        assert remarks(adapter) == [f"broker 127.0.0.1:{broker.port}: {lost}"]


def test_refreshing_subscribes_anew_over_the_connection_that_stands() -> None:
    with FakeBroker(GRANTED) as broker, AdapterProcess(table(broker.port)) as adapter:
        adapter.run_until_up()
        assert adapter.refresh() is True
        wait_until(lambda: broker.count(SUBSCRIBE) == 2, "another SUBSCRIBE")
        adapter.stop()
        assert broker.count(CONNECT) == 1
        assert remarks(adapter) == [None]


def test_a_refresh_that_is_not_answered_ends_the_connection() -> None:
    answers = dict(GRANTED)
    with FakeBroker(answers) as broker, AdapterProcess(table(broker.port, keepalive="1s")) as adapter:
        answers[PINGREQ] = lambda _: b"\xd0\x00"
        adapter.run_until_up()
        del answers[SUBSCRIBE]
        adapter.refresh()
        assert adapter.wait_down() == f"broker 127.0.0.1:{broker.port}: no answer to SUBSCRIBE within 1 s"


def test_a_broker_that_does_not_answer_mqtt_5_is_spoken_to_in_311() -> None:
    answers = {CONNECT: lambda body: ACCEPT_311 if body[6] == 4 else b"", SUBSCRIBE: suback(1, version=4)}
    with FakeBroker(answers) as broker, AdapterProcess(table(broker.port, keepalive="1s")) as adapter:
        adapter.run()
        silence = f"broker 127.0.0.1:{broker.port}: no answer to CONNECT within 1 s"
        assert adapter.wait_down() == f"{silence}; MQTT 3.1.1 is tried next"
        adapter.run_until_up()
        adapter.stop()
        adapter.run_until_up()
        versions = [body[6] for kind, body in broker.received if kind == CONNECT]
        assert versions == [5, 4, 4], "tried once, then remembered"


def test_a_broker_that_answers_nothing_is_asked_in_turns() -> None:
    with FakeBroker({}) as broker, AdapterProcess(table(broker.port, keepalive="1s")) as adapter:
        for _ in range(3):
            adapter.run()
            adapter.wait_down()
        versions = [body[6] for kind, body in broker.received if kind == CONNECT]
        assert versions == [5, 4, 5]
    with FakeBroker({}) as broker, AdapterProcess(table(broker.port, keepalive="1s", protocol="3.1.1")) as adapter:
        adapter.run()
        assert adapter.wait_down() == f"broker 127.0.0.1:{broker.port}: no answer to CONNECT within 1 s"


def test_connection_refused_is_named_and_the_name_too() -> None:
    with AdapterProcess(table(1)) as adapter:
        adapter.run()
        assert adapter.wait_down() == "broker 127.0.0.1:1: connection refused"
    with AdapterProcess(table(1883, host="no-such-host.invalid")) as adapter:
        adapter.run()
        assert adapter.wait_down().startswith("broker no-such-host.invalid:1883: the name can't be resolved")


def test_stop_ends_the_wait_for_a_silent_broker(broker: Mosquitto) -> None:
    with AdapterProcess(table(broker.port)) as adapter:
        broker.pause()
        adapter.run()
        adapter.stop()
        assert adapter.count("up") == 0


def test_a_broker_that_falls_silent_is_noticed(broker: Mosquitto) -> None:
    with AdapterProcess(table(broker.port, keepalive="1s")) as adapter:
        adapter.run_until_up()
        broker.pause()
        assert "keep alive timeout" in adapter.wait_down()
        broker.resume()
        adapter.run_until_up()


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (0x8B, "the broker ended the connection: server shutting down"),
        (0x8E, 'another client connected with our client id "twin"'),
    ],
)
def test_what_the_broker_says_at_the_end_is_told(reason: int, words: str) -> None:
    with FakeBroker(GRANTED) as broker, AdapterProcess(table(broker.port, client_id="twin")) as adapter:
        adapter.run_until_up()
        broker.send(packet(0xE0, bytes([reason, 0])))
        assert adapter.wait_down() == f"broker 127.0.0.1:{broker.port}: {words}"


def test_nonsense_from_the_broker_ends_the_connection() -> None:
    with FakeBroker(GRANTED) as broker, AdapterProcess(table(broker.port)) as adapter:
        for nonsense in (
            b"\x30\x02\xff\xff",
            b"\xf0\x00",
            b"\x30\xff\xff\xff\xff\x01",
            b"HTTP/1.1 400 Bad Request\r\n",
        ):
            adapter.run_until_up()
            broker.send(nonsense)
            broker.hang_up()
            adapter.wait_down()


# ---- TLS


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    openssl("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.crt", folder)
    for name in ("server", "client"):
        (folder / f"{name}.ext").write_text("subjectAltName=IP:127.0.0.1\n")
        openssl(f"req -newkey rsa:2048 -nodes -subj /CN={name} -keyout {name}.key -out {name}.csr", folder)
        signed = f"x509 -req -days 2 -CA ca.crt -CAkey ca.key -CAcreateserial -extfile {name}.ext"
        openssl(f"{signed} -in {name}.csr -out {name}.crt", folder)
    return folder


@pytest.fixture
def tls_broker(tmp_path: Path, authority: Path) -> Iterator[Mosquitto]:
    files = [f"cafile {authority}/ca.crt", f"certfile {authority}/server.crt", f"keyfile {authority}/server.key"]
    with Mosquitto(tmp_path / "broker", lines=[*files, "require_certificate true"]) as running:
        yield running


def test_tls_with_a_client_certificate(tls_broker: Mosquitto, authority: Path) -> None:
    ours = {"cert_file": f"{authority}/client.crt", "key_file": f"{authority}/client.key"}
    settings = table(tls_broker.port, tls=True, ca_file=f"{authority}/ca.crt", **ours)
    with AdapterProcess(settings) as adapter:
        adapter.run_until_up()
        for letter in "abc":
            publish_over_tls(tls_broker.port, authority, letter * 50_000)
        adapter.wait_messages(3)
        assert payloads(adapter) == [b"a" * 50_000, b"b" * 50_000, b"c" * 50_000]
        adapter.stop()


def test_an_unknown_authority_is_named(tls_broker: Mosquitto) -> None:
    with AdapterProcess(table(tls_broker.port, tls=True)) as adapter:
        adapter.run()
        assert "certificate is not accepted: " in adapter.wait_down()


def test_a_missing_client_certificate_is_named(tls_broker: Mosquitto, authority: Path) -> None:
    with AdapterProcess(table(tls_broker.port, tls=True, ca_file=f"{authority}/ca.crt")) as adapter:
        adapter.run()
        assert "the broker asks for a certificate: cert_file" in adapter.wait_down()


def test_a_broker_without_tls_is_named(broker: Mosquitto) -> None:
    with AdapterProcess(table(broker.port, tls=True)) as adapter:
        adapter.run()
        assert adapter.wait_down().startswith(f"broker 127.0.0.1:{broker.port}: ")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with AdapterProcess(table(1, tls=True, ca_file=str(tmp_path / "none.crt"))) as adapter:
        adapter.run()
        assert adapter.wait_down() == f"ca_file {tmp_path}/none.crt: no such file or directory"


def openssl(arguments: str, folder: Path) -> None:
    subprocess.run(["openssl", *arguments.split()], cwd=folder, check=True, capture_output=True)


def publish_over_tls(port: int, authority: Path, text: str) -> None:
    files = ["--cafile", "ca.crt", "--cert", "client.crt", "--key", "client.key"]
    command = ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(port), *files, "-q", "1", "-t", "sensors/a", "-m", text]
    subprocess.run(command, cwd=authority, check=True, timeout=10.0)


def peak_memory_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024
