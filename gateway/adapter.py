"""The one page to read before writing an adapter.

An adapter turns a connection into raw messages. It is plain blocking code that waits through
``gateway.runtime``; the core does the rest once for all adapters: decoding, validation, storage,
counting, back-off, states, live. Register the class under the entry point group
``gateway.adapters``; the entry point's name is the ``type`` in gateway.toml.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Generic, Literal, Protocol, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from gateway.availability import Availability
from gateway.findings import Finding, Situation
from gateway.framing import Frame
from gateway.model import DeviceId, MetricName, RawMessage, check_metric_name
from gateway.quantities import Duration
from gateway.runtime import Event


def _check_column(name: str) -> str:
    return check_metric_name(name) if name else name


Column = Annotated[str, AfterValidator(_check_column)]
"""A metric's name, or ``""``."""


class PayloadConfig(BaseModel):
    """How the payload of a message becomes readings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    decode: Literal["json", "value", "kv", "csv"] = Field(
        "json", description="json: an object; value: one number, true/false or a word; kv: a=1 b=2; csv: columns"
    )
    columns: tuple[Column, ...] = Field(
        (),
        description='for decode = "csv": the name of each column, "" to skip one',
        examples=[["temperature", "humidity"]],
    )
    time_key: str = Field("ts", description="the field that is the source's time, where there is one")
    device: DeviceId | None = Field(None, description="the device that all messages belong to", examples=["kitchen"])
    device_key: str | None = Field(None, description="the field that names the device", examples=["id"])
    metric: MetricName = Field("value", description='for decode = "value": the name of the metric')
    profile: str | None = Field(
        None, description="what is expected of the values: a name under [profiles]", examples=["climate"]
    )

    @property
    def topic_pattern(self) -> str | None:
        """Which topics this is for, with ``{device}``, ``{metric}``, ``+`` and ``#``; None: all messages."""
        return None

    @model_validator(mode="after")
    def _check_columns(self) -> "PayloadConfig":
        if (self.decode == "csv") != bool(self.columns):
            raise ValueError('columns: expected the names of the columns with decode = "csv", and only then')
        named = [name for name in self.columns if name]
        if len(named) != len(set(named)):
            raise ValueError("columns: expected a name of its own for each")
        return self


class AdapterConfig(BaseModel):
    """What every ``[[adapters]]`` table has; an adapter's ``Config`` adds its own keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=64, description="unique; how status, log and page call this source")
    type: str = Field(description="the kind of adapter")
    enabled: bool = Field(True, description="false: configured, but not started")
    stall_after: Duration | None = Field(None, description='silent for longer is "stalled"; default: learned')

    def payloads(self) -> Sequence[PayloadConfig]:
        """Return how messages are read; the first whose topic matches decides, none: ignored.

        A Config that inherits ``PayloadConfig`` too reads all its messages in that one way.
        """
        return (self,) if isinstance(self, PayloadConfig) else ()

    def announcements(self) -> Availability | None:
        """Return on which topics devices say that they come and go, checked before; None: on none."""
        return None

    def secret_files(self) -> Mapping[str, Path]:
        """Return the files with secrets, by key: people are warned of those that everybody can read."""
        return {}

    def claims(self) -> Sequence[str]:
        """Return what only one source can have, in words, such as ``port /dev/ttyUSB0``; may look at the machine.

        For ``gatewayctl doctor``, which finds two sources with the same claim.
        """
        return ()

    def frames(self, data: bytes) -> Iterable[Frame]:
        """Return the messages that ``run`` would find in ``data``, if that is all that the other end sends.

        For ``gatewayctl explain``. By default ``data`` is one message; a Config that has a framing applies it.
        """
        return (Frame(data),)


ConfigT = TypeVar("ConfigT", bound=AdapterConfig)


class Emit(Protocol):
    """The way into the gateway; thread of the hub only."""

    def __call__(self, message: RawMessage) -> None:
        """Hand over a message: it will be counted, and settled once. Returns at once, never raises."""

    def many(self, messages: Sequence[RawMessage]) -> None:
        """Hand over messages that came together, in their order: as one by one, and each costs less in company."""

    def up(self, remark: str | None = None) -> None:
        """Say that the connection stands and messages can come.

        ``remark``: what is wrong nevertheless, for people, such as a part that is refused. Call it again
        when that changes.
        """

    def slack_s(self) -> float:
        """Return for how many seconds messages may wait where they are, and nobody sees them later; 0: somebody would.

        After that they are just in time for what goes to viewers next. An adapter of which much comes may let messages
        gather for so long, since each costs less in company; it asks anew each time.
        """


class Adapter(ABC, Generic[ConfigT]):
    """One source. Subclass it, set ``Config``, write ``run``."""

    Config: ClassVar[type[AdapterConfig]]

    def __init__(self, config: ConfigT) -> None:
        """Keep the configuration; no I/O here."""
        self.config = config

    @abstractmethod
    def run(self, emit: Emit, stop: Event) -> None:
        """Connect, call ``emit.up()``, and ``emit`` messages until ``stop`` is set; then return.

        Every wait has a timeout and looks at ``stop``, at least once a second. When the other end
        goes away or refuses, release what was opened and raise ``AdapterDown`` with the cause in
        words: the supervisor calls ``run`` again after a while. After ``run`` ended, ``settle`` of
        its messages may still be called and must do no harm.
        """

    def refresh(self) -> bool:
        """Ask the other end anew for messages, over the connection that stands; for a source that fell silent.

        Called on the hub while ``run`` runs, so it returns at once: it lets ``run`` do it. Where that
        isn't possible it returns False, and the adapter is run again instead.
        """
        return False

    def probe(self) -> str:
        """Test the connection without consuming anything; return what was found, for people.

        Raises
        ------
        AdapterDown
            The other end can't be reached, or refuses.
        """
        return "this kind of adapter has no probe"

    def examine(self, situation: Situation) -> Iterable[Finding]:
        """Look for what keeps this source from working, or will one day; yield each thing with its remedy.

        For ``gatewayctl doctor``: called in a native thread of a process that is not the daemon, beside which a
        daemon may be running. So nothing here is green, nothing is logged, every wait has a timeout of a few
        seconds, nothing is consumed, and nothing is opened or taken that only one can have. What was yielded
        counts, even if the rest takes too long. ``about`` of a finding is ``source NAME``.

        The default tries nothing: ``probe`` may take what a running daemon needs.
        """
        del situation
        return ()
