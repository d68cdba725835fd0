"""What keeps us from a broker, step by step: files, name, connection, TLS, log-in, subscriptions.

Nothing is taken from a running gateway: the client has a name of its own and leaves no session.
"""

import shlex
from collections.abc import Iterator, Sequence
from itertools import combinations, zip_longest

from adapters.mqtt import dialling, files, words
from adapters.mqtt.config import MqttConfig
from adapters.mqtt.subscriptions import Subscription
from adapters.mqtt.visitor import Refusal, Visitor
from gateway.errors import AdapterDown
from gateway.findings import Finding, Severity, Situation, error, note, warning

_CREDENTIALS = ("Bad user name or password", "Not authorized", "Bad authentication method")
_IDENTIFIER = "Client identifier not valid"


def examine(
    config: MqttConfig, client_id: str, wanted: Sequence[Subscription], situation: Situation
) -> Iterator[Finding]:
    """Yield what is wrong, up to the first thing without which the next can't be tried.

    Parameters
    ----------
    config
        Of the source.
    client_id
        As which the gateway connects.
    wanted
        What it subscribes to.
    situation
        Where the gateway's connection stands, only what can be seen beside it is looked at.
    """
    about = f"source {config.name}"
    yield from _hidden_routes(config, about)
    broken = False
    for finding in files.check(config, situation.user, about):
        broken = broken or finding.severity is Severity.ERROR
        yield finding
    if broken:
        return
    if situation.connected and not config.tls:
        return  # what is left to try is what the gateway has done
    refused = False
    for finding in dialling.check(config, about):
        refused = refused or finding.severity is not Severity.WARNING
        yield finding
    if not refused and not situation.connected:
        yield from _visit(config, client_id, wanted, situation)


def _unread(failure: AdapterDown, about: str) -> Finding:
    text = f"what the broker would say wasn't tried, for you may not read what the gateway may: {failure}"
    return note("secret-unread", about, text, "sudo gatewayctl doctor")


def _hidden_routes(config: MqttConfig, about: str) -> Iterator[Finding]:
    for first, second in combinations(config.routes, 2):
        if _covers(first.topic, second.topic):
            text = f'the route "{second.topic}" gets nothing: "{first.topic}" comes first, and takes all of it'
            yield warning("route-hidden", about, text, f'put the route "{second.topic}" in front of it in gateway.toml')


def _covers(one: str, other: str) -> bool:
    """Tell whether each topic that ``other`` matches is matched by ``one`` too."""
    wide, narrow = one.split("/"), other.split("/")
    if narrow[0].startswith("$") and wide[0] != narrow[0]:
        return False  # a wildcard in front doesn't match the broker's own topics: MQTT 5, 4.7.2
    for level, given in zip_longest(wide, narrow):
        if level == "#":
            return True
        if level is None or given in (None, "#") or not (_is_any(level) or level == given):
            return False
    return True


def _is_any(level: str) -> bool:
    return level == "+" or level.startswith("{")


def _visit(
    config: MqttConfig, client_id: str, wanted: Sequence[Subscription], situation: Situation
) -> Iterator[Finding]:
    about = f"source {config.name}"
    visitor = Visitor(config, f"{client_id}-doctor")
    try:
        visitor.enter()
        if situation.reason.endswith(words.CLOSED):
            yield _thrown_out(config, client_id, about)
        for subscription, answer in visitor.ask(wanted):
            yield from _granted(subscription, answer, config, about)
    except AdapterDown as failure:
        yield _unread(failure, about)
    except Refusal as refusal:
        yield _refused(config, refusal, about)
    finally:
        visitor.leave()


def _thrown_out(config: MqttConfig, client_id: str, about: str) -> Finding:
    text = (
        f"broker {config.host}:{config.port} closes the gateway's connection, and lets in a client of another name: "
        f"another gateway seems to have the client id {client_id}, as a copied SD card has"
    )
    return error(
        "client-id-taken", about, text, "sudo hostnamectl set-hostname NAME, or a client_id of its own for each"
    )


def _granted(wanted: Subscription, answer: int, config: MqttConfig, about: str) -> Iterator[Finding]:
    if answer >= 0x80:
        text = f"the broker refuses to subscribe {wanted.filter}"
        remedy = f"in the broker's list of permissions: {_user(config)}topic read {wanted.filter}"
        yield error("subscription-refused", about, text, remedy)
    elif answer < wanted.qos:
        text = f"the broker grants {wanted.filter} only QoS {answer}: what comes while the gateway is away is lost"
        yield warning("subscription-less", about, text, "let the broker grant QoS 1 (mosquitto.conf: max_qos)")


def _user(config: MqttConfig) -> str:
    return f"user {config.username}, " if config.username else ""


def _refused(config: MqttConfig, refusal: Refusal, about: str) -> Finding:
    where, reason = f"broker {config.host}:{config.port}", refusal.reason
    if reason in _CREDENTIALS:
        return _credentials(config, where, reason, about)
    if reason == _IDENTIFIER:
        text = f"{where} doesn't let in a client called {refusal.client_id}"
        remedy = "allow that prefix in the broker (clientid_prefixes), or set the client_id that it wants"
        return error("broker-refuses-client-id", about, text, remedy)
    if refusal.is_silence:
        text = f"{where} accepts connections and doesn't answer: {reason}"
        remedy = "does a broker listen there, and with TLS perhaps (tls = true, port = 8883)? look into its log"
        return error("broker-silent", about, text, remedy)
    text = f"{where} refuses us: {reason.lower()}"
    return error("broker-refuses", about, text, "look into the broker's log: journalctl -u mosquitto -n 50")


def _credentials(config: MqttConfig, where: str, reason: str, about: str) -> Finding:
    if config.username is None:
        text = f"{where} refuses us: {reason.lower()}; no username is configured"
        remedy = "set username and password_file in gateway.toml, or allow_anonymous true in mosquitto.conf"
    else:
        text = f"{where} refuses the user {config.username}: {reason.lower()}"
        name = shlex.quote(config.username)
        remedy = f"at the broker: sudo mosquitto_passwd /etc/mosquitto/passwd {name}; sudo systemctl reload mosquitto"
    return error("broker-refuses-credentials", about, text, remedy)
