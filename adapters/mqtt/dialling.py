"""The way to a broker, below MQTT: its name, the connection, TLS."""

import contextlib
import socket
import ssl
import time
from collections.abc import Iterator

from adapters.mqtt import credentials, words
from adapters.mqtt.config import MqttConfig
from gateway.errors import AdapterDown
from gateway.findings import Finding, error, note, warning

CONNECT_S = 5.0
_ALERT_S = 0.3
_SOON_S = 14 * 86400.0
_EXPIRED, _NOT_YET, _WRONG_HOST, _WRONG_ADDRESS = 10, 9, 62, 64
_UNKNOWN_CA = (2, 18, 19, 20, 21)
"""OpenSSL's verification results: x509_vfy.h."""
_PLAIN = ("WRONG_VERSION_NUMBER", "UNEXPECTED_EOF_WHILE_READING", "RECORD_LAYER_FAILURE")


def check(config: MqttConfig, about: str) -> Iterator[Finding]:
    """Connect and hang up again; yield the first thing that is in the way, or what soon will be."""
    try:
        with socket.create_connection((config.host, config.port), timeout=CONNECT_S) as connection:
            if config.tls:
                yield from _tls(config, connection, about)
    except socket.gaierror as failure:
        text = f"the name {config.host} can't be resolved: {failure.strerror}"
        remedy = f"getent hosts {config.host} asks as the gateway does; or write the address: host in gateway.toml"
        if config.host.endswith(".local"):
            remedy = f"sudo apt install libnss-mdns avahi-daemon, which find names in .local; {remedy}"
        yield error("broker-name-unknown", about, text, remedy)
    except OSError as failure:
        yield _unreachable(config, failure, about)


def _unreachable(config: MqttConfig, failure: OSError, about: str) -> Finding:
    text = f"broker {config.host}:{config.port}: {words.failure(failure, CONNECT_S)}"
    if isinstance(failure, ConnectionRefusedError):
        remedy = "sudo systemctl start mosquitto (sudo apt install mosquitto, if it is to be on this machine)"
        if config.host not in ("127.0.0.1", "localhost", "::1"):
            remedy = "does it listen for other machines? mosquitto.conf: listener 1883, and its firewall"
        return error("broker-not-listening", about, text, remedy)
    return error("broker-unreachable", about, text, f"ping {config.host}; is it on, and in this network?")


def _tls(config: MqttConfig, connection: socket.socket, about: str) -> Iterator[Finding]:
    where = f"broker {config.host}:{config.port}"
    try:
        context = credentials.tls_context(config)
        with context.wrap_socket(connection, server_hostname=config.host) as secured:
            yield from _expiry(secured.getpeercert() or {}, where, about)
            _await_alert(secured)
    except AdapterDown as failure:  # what isn't there, or isn't what it should be, was found before
        text = f"{where}: TLS wasn't tried, for you may not read what the gateway may: {failure}"
        yield note("secret-unread", about, text, "sudo gatewayctl doctor")
    except ssl.SSLCertVerificationError as failure:
        yield _unverified(config, failure, f"{where}: its certificate is not accepted", about)
    except OSError as failure:
        yield _handshake(config, failure, where, about)


def _await_alert(secured: ssl.SSLSocket) -> None:
    """Give the broker time to refuse: in TLS 1.3 it sees our certificate, or none, once the handshake is done for us.

    Raises ``ssl.SSLError`` with its alert.
    """
    secured.settimeout(_ALERT_S)
    with contextlib.suppress(TimeoutError):
        secured.recv(1)  # nothing, from a broker that waits for CONNECT


def _expiry(certificate: object, where: str, about: str) -> Iterator[Finding]:
    end = certificate.get("notAfter") if isinstance(certificate, dict) else None
    if isinstance(end, str) and ssl.cert_time_to_seconds(end) - time.time() < _SOON_S:
        text = f"{where}: its certificate expires on {end}; then nothing comes any more"
        yield warning("tls-expires-soon", about, text, "have a new one made for the broker, before that day")


def _unverified(config: MqttConfig, failure: ssl.SSLCertVerificationError, text: str, about: str) -> Finding:
    code, look = failure.verify_code, f"openssl s_client -connect {config.host}:{config.port} </dev/null"
    if code == _EXPIRED:
        remedy = f"have a new one made for the broker; if it isn't old, mend this machine's clock (date); {look}"
        return error("tls-expired", about, f"{text}: it has expired", remedy)
    if code == _NOT_YET:
        return error(
            "tls-not-yet-valid", about, f"{text}: it isn't valid yet", "mend this machine's clock: date; timedatectl"
        )
    if code in (_WRONG_HOST, _WRONG_ADDRESS):
        remedy = (
            f"host in gateway.toml must be a name in the certificate: {look} | openssl x509 -noout -ext subjectAltName"
        )
        return error("tls-wrong-host", about, f"{text}: it isn't for {config.host}", remedy)
    if code in _UNKNOWN_CA:
        remedy = "ca_file in gateway.toml: the certificate of who has signed it (the broker's cafile, ca.crt)"
        return error("tls-unknown-ca", about, f"{text}: this machine doesn't know who has signed it", remedy)
    return error("tls-not-accepted", about, f"{text}: {failure.verify_message}", look)


def _handshake(config: MqttConfig, failure: OSError, where: str, about: str) -> Finding:
    reason = getattr(failure, "reason", None) or ""
    if reason in _PLAIN or isinstance(failure, ConnectionResetError | TimeoutError):
        remedy = "tls = false, or the port on which the broker speaks TLS (8883 is usual): gateway.toml"
        return error("tls-plain-port", about, f"{where} doesn't speak TLS on this port", remedy)
    text = f"{where}: {words.failure(failure, CONNECT_S)}"
    if "CERTIFICATE" in reason or "UNKNOWN_CA" in reason:
        remedy = (
            "cert_file and key_file in gateway.toml: a certificate for the gateway, signed by whom the broker trusts"
        )
        return error("tls-wants-certificate", about, text, remedy)
    return error("tls-refused", about, text, f"openssl s_client -connect {config.host}:{config.port}; the broker's log")
