"""What the decoders of text share."""

from gateway.errors import Rejected


def text_of(payload: bytes) -> str:
    """Return ``payload`` as text without outer blanks.

    Raises
    ------
    Rejected
        It isn't UTF-8.
    """
    try:
        return payload.decode().strip()
    except UnicodeDecodeError as error:
        raise Rejected(f"not UTF-8: byte 0x{payload[error.start]:02x} at {error.start}") from error
