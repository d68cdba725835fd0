"""The files that an MQTT source names: there, readable for the gateway, and what they should be."""

import os
import ssl
from collections.abc import Iterator
from pathlib import Path

from adapters.mqtt import credentials
from adapters.mqtt.config import MqttConfig
from gateway.errors import AdapterDown
from gateway.findings import Finding, error
from gateway.machine import User

_KEYS = ("password_file", "ca_file", "cert_file", "key_file")
_SERVICE = "telemetry-gateway"


def check(config: MqttConfig, user: User, about: str) -> Iterator[Finding]:
    """Yield what is wrong with them; ``user`` is the gateway's."""
    named: dict[str, Path | None] = {key: getattr(config, key) for key in _KEYS}
    found = [finding for key, path in named.items() if path is not None for finding in _file(key, path, user, about)]
    yield from found
    if config.tls and not found:
        yield from _meaning(config, about)


def _file(key: str, path: Path, user: User, about: str) -> Iterator[Finding]:
    try:
        readable = user.may(path, os.R_OK)
    except PermissionError:
        return  # hidden from who asks; the gateway may see it
    except OSError as failure:
        text = f"{key} {path}: {(failure.strerror or str(failure)).lower()}"
        yield error("file-missing", about, text, _how_to_put(key, path))
        return
    if not readable:
        text = f"{key} {path} can't be read by {user.name}, as whom the gateway runs"
        yield error("file-unreadable", about, text, f"sudo chown {user.name} {path}; sudo chmod 400 {path}")


def _how_to_put(key: str, path: Path) -> str:
    if path.is_relative_to("/run/credentials"):  # systemd puts it there when it starts the service
        name = path.name.removeprefix("secrets_")
        return (
            f"sudo install -m 600 /dev/stdin /etc/telemetry-gateway/secrets/{name}; sudo systemctl restart {_SERVICE}"
        )
    return f"put it there, or mend {key} in gateway.toml"


def _meaning(config: MqttConfig, about: str) -> Iterator[Finding]:
    try:
        credentials.tls_context(config)
    except AdapterDown as failure:
        if not isinstance(failure.__cause__, OSError) or isinstance(failure.__cause__, ssl.SSLError):
            remedy = "openssl x509 -in FILE -noout -subject -dates shows what a certificate is; key and cert must match"
            yield error("tls-files-wrong", about, str(failure), remedy)
