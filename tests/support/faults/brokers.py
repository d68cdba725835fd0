"""Brokers, below and above the log-in; TLS has a module of its own."""

import json
import socket
import subprocess
from pathlib import Path

from tests.support.fake_broker import CONNECT, FakeBroker, packet
from tests.support.faults.box import Box
from tests.support.faults.fault import fault
from tests.support.faults.standin import answering, source
from tests.support.faults.systemd import systemd
from tests.support.mosquitto import Mosquitto
from tests.support.ports import LOOPBACK, free_port, wait_until

NOT_VALID = 0x85
"""Reason code: Client Identifier not valid (MQTT 5, 3.2.2.2)."""
NO_SENSORS = {
    "defaultACLAccess": {
        "publishClientSend": True,
        "publishClientReceive": True,
        "subscribe": True,
        "unsubscribe": True,
    },
    "anonymousGroup": "all",
    "groups": [{"groupname": "all", "roles": [{"rolename": "all"}]}],
    "roles": [
        {"rolename": "all", "acls": [{"acltype": "subscribePattern", "topic": "sensors/#", "allow": False}]},
    ],
}


def mqtt(port: int, more: str = "", *, host: str = LOOPBACK) -> str:
    """Return a source."""
    return (
        f'[[adapters]]\nname = "broker"\ntype = "mqtt"\nhost = "{host}"\nport = {port}\n{more}\n'
        '[[adapters.routes]]\ntopic = "sensors/{device}"\n'
    )


def broker(box: Box, *lines: str, anonymous: bool = True) -> Mosquitto:
    """Start a broker."""
    return box.stack.enter_context(Mosquitto(box.folder / "broker", lines=lines, anonymous=anonymous))


def passwords(box: Box) -> Mosquitto:
    """Start a broker that wants the user ``gateway`` and the password ``right``."""
    file = box.folder / "passwd"
    file.write_text("gateway:right\n")
    subprocess.run(["mosquitto_passwd", "-U", str(file)], check=True, capture_output=True)
    return broker(box, f"password_file {file}", anonymous=False)


def login(box: Box, password: str = "right", mode: int = 0o600) -> str:
    """Return the keys that log in, with a file of that mode."""
    file = box.folder / "secret"
    file.write_text(f"{password}\n")
    file.chmod(mode)
    return f'username = "gateway"\npassword_file = "{file}"'


@fault("no broker listens", "broker-not-listening", "sudo systemctl start mosquitto", said=["connection refused"])
def not_listening(box: Box) -> None:
    """A port on which nobody listens."""
    box.write(mqtt(free_port()))


@fault("the broker doesn't answer", "broker-unreachable", "ping 127.0.0.1", said=["no answer within"])
def unreachable(box: Box) -> None:
    """A socket whose queue of connections is full."""
    listener = box.stack.enter_context(socket.create_server((LOOPBACK, 0), backlog=0))
    address = listener.getsockname()
    for _ in range(8):
        client = box.stack.enter_context(socket.socket())
        client.setblocking(False)
        client.connect_ex(address)
    box.write(mqtt(address[1]))


@fault("the broker's name is unknown", "broker-name-unknown", "getent hosts broker.invalid", said=["can't be resolved"])
def unknown_name(box: Box) -> None:
    """A name below `.invalid`."""
    box.write(mqtt(1883, host="broker.invalid"))


@fault(
    "a name in .local isn't found", "broker-name-unknown", "sudo apt install libnss-mdns", said=["can't be resolved"]
)
def unknown_local_name(box: Box) -> None:
    """A name in `.local` that nobody has."""
    box.write(mqtt(1883, host="no-such-broker.local"))


@fault("something else listens", "broker-silent", "tls = true", said=["doesn't answer"])
def silent(box: Box) -> None:
    """A server that accepts, and says nothing."""
    fake = box.stack.enter_context(FakeBroker({}))
    box.write(mqtt(fake.port))


@fault("the broker wants a password", "broker-refuses-credentials", "username and password_file", said=["refuses us"])
def no_password(box: Box) -> None:
    """Mosquitto with passwords."""
    box.write(mqtt(passwords(box).port))


@fault(
    "the password is wrong",
    "broker-refuses-credentials",
    "mosquitto_passwd /etc/mosquitto/passwd gateway",
    said=["refuses the user gateway"],
)
def wrong_password(box: Box) -> None:
    """Mosquitto with passwords."""
    box.write(mqtt(passwords(box).port, login(box, "wrong")))


@fault("the broker refuses the client id", "broker-refuses-client-id", "clientid_prefixes", said=["doesn't let in"])
def client_id_refused(box: Box) -> None:
    """A server that answers with that reason code."""
    answer = packet(0x20, bytes([0, NOT_VALID, 0]))
    fake = box.stack.enter_context(FakeBroker({CONNECT: lambda _: answer}))
    box.write(mqtt(fake.port))


@fault("a subscription is refused", "subscription-refused", "topic read sensors/+", said=["refuses to subscribe"])
def subscription_refused(box: Box) -> None:
    """Mosquitto with rules that forbid it."""
    rules = box.folder / "rules.json"
    rules.write_text(json.dumps(NO_SENSORS))
    plugin = next(Path("/usr/lib").glob("*/mosquitto_dynamic_security.so"))
    box.write(mqtt(broker(box, f"plugin {plugin}", f"plugin_opt_config_file {rules}").port))


@fault("the broker grants less", "subscription-less", "max_qos", said=["only QoS 0"], severity="warning")
def less_granted(box: Box) -> None:
    """Mosquitto with `max_qos 0`."""
    box.write(mqtt(broker(box, "max_qos 0").port))


@fault("a sensor's clock is wrong", "source-clock-wrong", "set its clock", said=["behind"], severity="warning")
def wrong_clock(box: Box) -> None:
    """A running gateway, and a message from last year."""
    running = broker(box)
    daemon = box.daemon(mqtt(running.port))
    daemon.wait_up("broker")
    running.publish("sensors/old", '{"temperature": 1.5, "ts": 1750000000}')
    wait_until(lambda: daemon.ledger()["stored"] == 1, "it is stored")


@fault("a password file isn't there", "file-missing", "mend password_file", said=["no such file"])
def no_password_file(box: Box) -> None:
    """None."""
    keys = login(box)
    (box.folder / "secret").unlink()
    box.write(mqtt(free_port(), keys))


@fault(
    "a password can be read by all",
    "secret-readable-by-all",
    "chmod o= ",
    said=["every user of this machine can read"],
    severity="warning",
)
def open_secret(box: Box) -> None:
    """A file of mode 644."""
    box.write(mqtt(passwords(box).port, login(box, mode=0o644)))


@fault("the gateway can't read its password", "file-unreadable", "sudo chown nobody", said=["by nobody"], root=True)
def closed_secret(box: Box) -> None:
    """A file of root's alone, and another user who asks."""
    box.write(mqtt(passwords(box).port, login(box)))
    box.stranger = True


@fault(
    "systemd hasn't handed a password over",
    "file-missing",
    "secrets/mqtt; sudo systemctl restart",
    said=["no such file"],
)
def no_credential(box: Box) -> None:
    """The path of a credential, and none there."""
    file = "/run/credentials/telemetry-gateway.service/secrets_mqtt"
    box.write(mqtt(free_port(), f'username = "gateway"\npassword_file = "{file}"'))


@fault(
    "who asks may not read what the gateway may",
    "secret-unread",
    "sudo gatewayctl doctor",
    said=["you may not read"],
    severity="note",
    how="Mosquitto with passwords, a file of root's, a service of root's (not systemd), and another user who asks",
    root=True,
)
def unread_secret(box: Box) -> None:
    box.write(mqtt(passwords(box).port, login(box)))
    systemd(box, User="root")
    box.stranger = True


@fault(
    "all messages are rejected", "source-all-rejected", "gatewayctl rejects list", said=["all 3 messages were rejected"]
)
def all_rejected(box: Box) -> None:
    """A running gateway, and messages that are no JSON."""
    running = broker(box)
    daemon = box.daemon(mqtt(running.port))
    daemon.wait_up("broker")
    running.publish_all([("sensors/kitchen", "21,4"), ("sensors/kitchen", "21,5"), ("sensors/attic", "19,0")])
    wait_until(lambda: daemon.ledger()["rejected"] == 3, "they are rejected")


@fault(
    "a copied card: two gateways of one name",
    "client-id-taken",
    "sudo hostnamectl set-hostname",
    said=["copied SD card"],
)
def one_name_twice(box: Box) -> None:
    """A server on the control socket that says what a gateway says then, and Mosquitto."""
    box.write(mqtt(broker(box).port))
    answering(box, [source("broker", "down", "broker 127.0.0.1:1883: the broker closed the connection")])


@fault(
    "a password is a credential of the service",
    "secret-unread",
    "sudo gatewayctl doctor, while the service runs",
    said=["which it alone has"],
    severity="note",
)
def credential(box: Box) -> None:
    """A reference to one, and no gateway that runs."""
    box.write(mqtt(passwords(box).port, 'username = "gateway"\npassword = "${credential:mqtt}"'))


@fault(
    "a variable of the environment isn't set",
    "configuration",
    "the environment has no ",
    said=["a variable that is set"],
)
def unset_variable(box: Box) -> None:
    """A reference to one, and no gateway that runs."""
    box.write(mqtt(free_port(), 'username = "gateway"\npassword = "${NO_SUCH_VARIABLE}"'))


@fault(
    "a password in gateway.toml can be read by all",
    "secret-readable-by-all",
    "or refer to it",
    said=["can read this file with a password"],
    severity="warning",
)
def password_written_out(box: Box) -> None:
    """A file of mode 644 with a password."""
    box.write(mqtt(passwords(box).port, 'username = "gateway"\npassword = "right"'))
    box.config.chmod(0o644)
