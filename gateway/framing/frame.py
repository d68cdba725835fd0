"""What every framing gives, and how it is asked for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Frame:
    """The bytes of one message, without what separates it from the next."""

    payload: bytes
    flaw: str = ""
    """Why this isn't a whole message (``line longer than 4096 bytes``); ``payload`` is then what was kept of it."""
    size: int | None = None
    """Bytes of the message, as far as they were counted, where ``payload`` is only its beginning."""


class Framing(Protocol):
    """Finds messages in a stream of bytes: no I/O, bounded memory, never raises.

    The frames don't depend on how the stream was cut into pieces, and after any garbage a framing
    finds its way back by itself.
    """

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Take the next bytes of the stream; return the messages that they complete, in order."""
