"""TLS towards a broker: an authority and certificates of the test's own."""

from pathlib import Path
from typing import Any

from tests.support.certificates import Authority
from tests.support.faults.box import Box
from tests.support.faults.brokers import broker, mqtt
from tests.support.faults.fault import fault
from tests.support.ports import free_port

SECOND = "openssl s_client -connect 127.0.0.1:"


def secured(box: Box, *lines: str, **more: Any) -> tuple[int, Path]:
    """Start a broker with a certificate as told; return its port, and its authority's certificate."""
    authority = Authority(box.folder / "authority")
    certificate, key = authority.issue(**more)
    files = (f"cafile {authority.certificate}", f"certfile {certificate}", f"keyfile {key}")
    return broker(box, *files, *lines).port, authority.certificate


def trusting(port: int, ca_file: Path) -> str:
    """Return a source that trusts an authority."""
    return mqtt(port, f'tls = true\nca_file = "{ca_file}"')


@fault("the broker's certificate has expired", "tls-expired", "have a new one made", said=["it has expired"])
def expired(box: Box) -> None:
    """Mosquitto with such a one."""
    box.write(trusting(*secured(box, first_day=-20, last_day=-1)))


@fault("the certificate isn't valid yet", "tls-not-yet-valid", "timedatectl", said=["it isn't valid yet"])
def not_yet(box: Box) -> None:
    """Mosquitto with such a one."""
    box.write(trusting(*secured(box, first_day=1, last_day=20)))


@fault("the certificate is another host's", "tls-wrong-host", "subjectAltName", said=["it isn't for 127.0.0.1"])
def wrong_host(box: Box) -> None:
    """Mosquitto with such a one."""
    box.write(trusting(*secured(box, names="DNS:elsewhere.example")))


@fault("nobody knows who signed the certificate", "tls-unknown-ca", "ca_file", said=["doesn't know who has signed it"])
def unknown_authority(box: Box) -> None:
    """Mosquitto, and a source without `ca_file`."""
    port, _ = secured(box)
    box.write(mqtt(port, "tls = true"))


@fault("the broker doesn't speak TLS there", "tls-plain-port", "tls = false", said=["doesn't speak TLS on this port"])
def plain(box: Box) -> None:
    """Mosquitto without TLS, and a source with it."""
    box.write(mqtt(broker(box).port, "tls = true"))


@fault(
    "the broker wants a certificate", "tls-wants-certificate", "cert_file", said=["the broker asks for a certificate"]
)
def certificate_wanted(box: Box) -> None:
    """Mosquitto with `require_certificate`."""
    box.write(trusting(*secured(box, "require_certificate true")))


@fault("the certificate expires soon", "tls-expires-soon", "before that day", said=["expires on"], severity="warning")
def expires_soon(box: Box) -> None:
    """Mosquitto with such a one, beside a gateway that is connected."""
    port, ca_file = secured(box, last_day=3)
    box.daemon(trusting(port, ca_file)).wait_up("broker")


@fault("key and certificate don't belong together", "tls-files-wrong", "must match", said=["not what is expected"])
def mixed_files(box: Box) -> None:
    """Those of two issues."""
    authority = Authority(box.folder / "authority")
    certificate, _ = authority.issue()
    kept = certificate.rename(box.folder / "mine.crt")
    _, key = authority.issue()
    files = f'tls = true\nca_file = "{authority.certificate}"\ncert_file = "{kept}"\nkey_file = "{key}"'
    box.write(mqtt(free_port(), files))


@fault("the authority's certificate isn't there", "file-missing", "mend ca_file", said=["no such file"])
def no_ca_file(box: Box) -> None:
    """None."""
    box.write(trusting(free_port(), box.folder / "ca.crt"))
