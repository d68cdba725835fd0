"""TLS towards the broker; that a broker with a certificate is connected to: integration/test_mqtt_adapter.py."""

import ssl

from adapters.mqtt.config import MqttConfig
from adapters.mqtt.credentials import tls_context

CONFIG = {"name": "broker", "type": "mqtt", "host": "127.0.0.1", "tls": True, "routes": [{"topic": "t", "device": "d"}]}


def test_the_form_of_certificates_is_judged_as_before_python_3_13(monkeypatch):
    made = ssl.create_default_context()
    made.verify_flags |= ssl.VERIFY_X509_STRICT  # as 3.13 makes it
    monkeypatch.setattr(ssl, "create_default_context", lambda **_: made)
    found = tls_context(MqttConfig.model_validate(CONFIG))
    assert not found.verify_flags & ssl.VERIFY_X509_STRICT
    assert (found.verify_mode, found.check_hostname) == (ssl.CERT_REQUIRED, True)
