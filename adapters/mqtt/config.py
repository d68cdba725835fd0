"""The ``[[adapters]]`` table of an MQTT broker, and its routes."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from gateway.adapter import AdapterConfig, PayloadConfig
from gateway.availability import Availability
from gateway.decoding.topics import TopicPattern
from gateway.quantities import ConfigPath, Duration, Size

_WITH_PORT = re.compile(r"^[^:]*:\d+$|\]")
"""``host:1883``, ``[::1]:1883``, ``[::1]``; not ``::1``."""


class MqttRoute(PayloadConfig):
    """Which topics to subscribe to, and how their payloads become readings."""

    topic: str = Field(
        examples=["sensors/{device}"],
        description="what to subscribe to; {device} and {metric} each match one level, + one unnamed level, # the rest",
    )
    qos: Literal[0, 1, 2] = Field(
        1, description="0: what comes while the gateway is away is lost; 1: delivered again until stored; 2: taken as 1"
    )

    @field_validator("topic")
    @classmethod
    def _check_topic(cls, topic: str) -> str:
        TopicPattern(topic)
        return topic

    @model_validator(mode="after")
    def _check_device(self) -> "MqttRoute":
        if not (self.device or self.device_key or "device" in TopicPattern(self.topic).names):
            raise ValueError("device: expected {device} in the topic, or one of device and device_key")
        return self

    @property
    def topic_pattern(self) -> str:
        """Return which topics this route is for."""
        return self.topic


class MqttConfig(AdapterConfig):
    """A broker, and what to take from it."""

    host: str = Field("127.0.0.1", min_length=1, description="the broker's name or address")
    port: int = Field(1883, ge=1, le=65535, description="1883 is usual, 8883 with TLS")
    protocol: Literal["5", "3.1.1"] = Field(
        "5", description="of MQTT; a broker that refuses 5, or doesn't answer, is spoken to in 3.1.1"
    )
    client_id: str | None = Field(
        None,
        min_length=1,
        max_length=256,
        examples=["greenhouse-gateway"],
        description="unique at the broker, which keeps subscriptions and what is not acknowledged under it; "
        "default: made of host, name and topics. One of your own should change with the topics",
    )
    username: str | None = Field(None, min_length=1, examples=["gateway"], description="for the broker")
    password: SecretStr | None = Field(
        None,
        min_length=1,
        examples=["${MQTT_PASSWORD}"],
        description='for the broker; better not here but elsewhere: "${NAME}" is a variable of the environment, '
        '"${credential:NAME}" a credential of the service',
    )
    password_file: ConfigPath | None = Field(
        None,
        examples=["/etc/telemetry-gateway/broker-password"],
        description="a file with the password and nothing else",
    )
    keepalive: Duration = Field("30s", validate_default=True, description="a silent connection is tested this often")
    session_expiry: Duration = Field(
        "1d", validate_default=True, description="how long the broker keeps messages for us while we are away (MQTT 5)"
    )
    max_payload: Size = Field(
        "1MiB", validate_default=True, description="a message that is larger is read over and rejected"
    )
    tls: bool = Field(False, description="encrypt, and check the broker's certificate")
    ca_file: ConfigPath | None = Field(
        None,
        examples=["/etc/telemetry-gateway/ca.crt"],
        description="who may sign the broker's certificate; default: the system's list",
    )
    cert_file: ConfigPath | None = Field(
        None,
        examples=["/etc/telemetry-gateway/client.crt"],
        description="our own certificate, for brokers that ask for one",
    )
    key_file: ConfigPath | None = Field(
        None, examples=["/etc/telemetry-gateway/client.key"], description="its private key, if not in cert_file"
    )
    availability: str | None = Field(
        None,
        examples=["sensors/{device}/status"],
        description="topics on which devices, or their last wills, say whether they are there: no readings, whatever "
        "the routes say",
    )
    payload_online: str = Field("online", min_length=1, description='there: this, or {"state": …} with it')
    payload_offline: str = Field("offline", min_length=1, description="away: offline at once, without waiting")
    routes: tuple[MqttRoute, ...] = Field(min_length=1, description="the first that matches a topic decides")

    def payloads(self) -> Sequence[PayloadConfig]:
        """Return the routes."""
        return self.routes

    def secret_files(self) -> Mapping[str, Path]:
        """Return the password's file, and the private key's."""
        named = {"password_file": self.password_file, "key_file": self.key_file}
        if self.key_file is None:
            named["cert_file"] = self.cert_file  # which has the key too, then
        return {key: path for key, path in named.items() if path is not None}

    def claims(self) -> Sequence[str]:
        """Return the client id, if it isn't made of the source's name."""
        return () if self.client_id is None else (f'client_id "{self.client_id}" at {self.host}:{self.port}',)

    def announcements(self) -> Availability | None:
        """Return on which topics devices say that they come and go."""
        if self.availability is None:
            return None
        return Availability(self.availability, self.payload_online, self.payload_offline)

    @field_validator("host")
    @classmethod
    def _check_host(cls, host: str) -> str:
        """Refuse what other programs call a server: a name that nobody has would be looked up for ever."""
        if "/" in host or _WITH_PORT.search(host):
            raise ValueError("expected a name or an address alone; the port is a key of its own, and so is tls")
        return host

    @field_validator("availability")
    @classmethod
    def _check_pattern(cls, availability: str | None) -> str | None:
        if availability is not None:
            TopicPattern(availability)
        return availability

    @model_validator(mode="after")
    def _check_availability(self) -> "MqttConfig":
        if self.availability is None and {"payload_online", "payload_offline"} & self.model_fields_set:
            raise ValueError("availability: expected, where payload_online or payload_offline is given")
        self.announcements()
        return self

    @field_validator("keepalive", "session_expiry")
    @classmethod
    def _check_seconds(cls, value: float) -> float:
        if not 1 <= value <= 0xFFFF_FFFE:  # MQTT 5, 3.1.2.11.2; above it the broker would never forget us
            raise ValueError("expected at least one second and at most 136 years")
        return value

    @field_validator("keepalive")
    @classmethod
    def _check_keepalive(cls, value: float) -> float:
        if value > 0xFFFF:  # MQTT 5, 3.1.2.10
            raise ValueError("expected at most 18 hours")
        return value

    @model_validator(mode="after")
    def _check_tls(self) -> "MqttConfig":
        if not self.tls and (self.ca_file or self.cert_file or self.key_file):
            raise ValueError("tls: expected true, where ca_file, cert_file or key_file is given")
        if self.key_file and not self.cert_file:
            raise ValueError("cert_file: expected, where key_file is given")
        return self

    @model_validator(mode="after")
    def _check_password(self) -> "MqttConfig":
        if self.password and self.password_file:
            raise ValueError("password_file: expected only without password")
        if (self.password or self.password_file) and not self.username:
            raise ValueError("username: expected, where a password is given")
        return self
