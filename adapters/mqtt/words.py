"""What keeps us from a broker, in words for people."""

import os
import socket
import ssl

from paho.mqtt.reasoncodes import ReasonCode

CLOSED = "the broker closed the connection"
_TLS = {
    "WRONG_VERSION_NUMBER": "the broker doesn't speak TLS on this port",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "the broker asks for a certificate: cert_file",
    "TLSV1_ALERT_UNKNOWN_CA": "the broker doesn't accept our certificate: it doesn't know who signed it",
}


def failure(error: OSError, timeout_s: float) -> str:
    """Return what is wrong with a connection: ``connection refused``."""
    if isinstance(error, ssl.SSLError):
        return f"TLS: {_tls(error)}"
    if isinstance(error, socket.gaierror):
        return f"the name can't be resolved: {error.strerror}"
    if isinstance(error, TimeoutError):
        return f"no answer within {timeout_s:g} s"
    return (os.strerror(error.errno) if error.errno else str(error)).lower()  # green sockets say ECONNREFUSED


def refusal(reason: ReasonCode) -> str:
    """Return why the broker says no: ``refuses us: bad user name or password``."""
    return f"refuses us: {str(reason).lower()}"


def end(reason: ReasonCode, error: OSError | None, *, by_broker: bool, client_id: str) -> str:
    """Return why a connection that stood is gone."""
    if str(reason) == "Session taken over":
        return f'another client connected with our client id "{client_id}"'
    if by_broker:
        return f"the broker ended the connection: {str(reason).lower()}"
    if error is not None:
        return f"the connection is lost: {failure(error, 0.0)}"
    if str(reason) == "Unspecified error":
        return CLOSED
    return f"the connection is lost: {str(reason).lower()}"


def _tls(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the broker's certificate is not accepted: {error.verify_message}"
    reason = error.reason or str(error)
    return _TLS.get(reason, reason.replace("_", " ").lower())
