"""What proves who is who: TLS towards the broker, and the password."""

import ssl
from pathlib import Path

from adapters.mqtt.config import MqttConfig
from gateway.errors import AdapterDown


def password(config: MqttConfig) -> str | None:
    """Return the password for the broker, without the line's end that editors leave; None if there is none.

    Raises
    ------
    AdapterDown
        The file can't be read.
    """
    if config.password is not None:
        password = config.password.get_secret_value()
        if "${credential:" in password:  # not in the service, which wouldn't have started with it
            raise AdapterDown("password: is a credential of the service, which nobody else can have")
        return password
    if config.password_file is None:
        return None
    try:
        return config.password_file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise AdapterDown(_unreadable("password_file", config.password_file, error)) from error


def tls_context(config: MqttConfig) -> ssl.SSLContext:
    """Return a context that checks the broker and shows our certificate, if there is one.

    Raises
    ------
    AdapterDown
        A file is missing or isn't what it should be.
    """
    for name in ("ca_file", "cert_file", "key_file"):
        _check_readable(name, getattr(config, name))
    try:
        made = ssl.create_default_context(cafile=config.ca_file)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        # Since 3.13 Python wants extensions of RFC 5280 that certificates made at home mostly lack (docs/traps.md).
        made.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if config.cert_file is not None:
            # With an empty password a protected key is an error, not a question on the terminal.
            made.load_cert_chain(config.cert_file, config.key_file, password="")
    except (ssl.SSLError, ValueError) as error:
        raise AdapterDown(f"tls: {_files(config)}: not what is expected: {error}") from error
    return made


def _check_readable(key: str, path: Path | None) -> None:
    try:
        if path is not None:
            path.open("rb").close()
    except OSError as error:
        raise AdapterDown(_unreadable(key, path, error)) from error


def _unreadable(key: str, path: Path | None, error: OSError | UnicodeDecodeError) -> str:
    cause = error.strerror if isinstance(error, OSError) else "is not UTF-8"
    return f"{key} {path}: {(cause or str(error)).lower()}"


def _files(config: MqttConfig) -> str:
    return ", ".join(str(path) for path in (config.ca_file, config.cert_file, config.key_file) if path)
