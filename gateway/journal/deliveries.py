"""What deliveries are recognised by after a restart: in the log with their readings, then in a row for each source."""

import sqlite3
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from struct import Struct

KEPT = 4096
"""The last ones of each source that stay."""
_ID_BYTES = 4
_PIECE_HEAD = Struct(">IB")
"""Packet id, and bytes of the digest that follows."""
_SIZE_BYTES = 4


def encoded(packet_id: int, digest: bytes) -> bytes:
    """Return a delivery as a piece that ends by itself."""
    return _PIECE_HEAD.pack(packet_id, len(digest)) + digest


def runs(deliveries: Mapping[str, Sequence[bytes]]) -> bytes:
    """Return what a row of the log keeps of a commit's deliveries, by source."""
    found = b""
    for source, pieces in deliveries.items():
        for part in (source.encode(), b"".join(pieces)):
            found += len(part).to_bytes(_SIZE_BYTES, "big") + part
    return found


def _sized(joined: bytes, at: int) -> tuple[bytes, int]:
    """Return the part that begins with its size, and where the next one begins."""
    start = at + _SIZE_BYTES
    end = start + int.from_bytes(joined[at:start], "big")
    return joined[start:end], end


def _pieces(joined: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(joined):
        end = piece_end(joined, at)
        yield joined[at:end]
        at = end


def piece_end(joined: bytes, at: int = 0) -> int:
    """Return where the piece ends that begins at ``at``."""
    return at + _ID_BYTES + 1 + joined[at + _ID_BYTES : at + _ID_BYTES + 1][0]


class DeliveryBook:
    """The last deliveries of each source, oldest first; the writer's thread only."""

    def __init__(self) -> None:
        self._sources: dict[str, deque[bytes]] = {}
        self._changed: set[str] = set()

    def load(self, connection: sqlite3.Connection) -> int:
        """Read what the sources' rows have; return up to which number in the log they were written."""
        upto = 0
        for source, until, pieces in connection.execute("SELECT source, upto, pieces FROM deliveries"):
            upto = max(upto, until)
            self._add(source, _pieces(pieces))
        self._changed.clear()
        return upto

    def replay(self, deliveries: bytes) -> None:
        """Take in what a row of the log has, as ``runs`` made it."""
        at = 0
        while at < len(deliveries):
            source, at = _sized(deliveries, at)
            pieces, at = _sized(deliveries, at)
            self._add(source.decode(), _pieces(pieces))

    def turn(self, deliveries: Mapping[str, Iterable[bytes]]) -> None:
        """Take over what was committed, by source."""
        for source, pieces in deliveries.items():
            self._add(source, pieces)

    def _add(self, source: str, pieces: Iterable[bytes]) -> None:
        if source not in self._sources:
            self._sources[source] = deque(maxlen=KEPT)
        self._sources[source].extend(pieces)
        self._changed.add(source)

    def all(self) -> list[tuple[str, int, bytes]]:
        """Return source, packet id and digest of each."""
        return [
            (source, int.from_bytes(piece[:_ID_BYTES], "big"), piece[_ID_BYTES + 1 :])
            for source, pieces in self._sources.items()
            for piece in pieces
        ]

    def insert(self, connection: sqlite3.Connection, upto: int) -> None:
        """Write the rows of all sources that changed, within the caller's transaction; ``written`` follows it.

        ``upto``: the newest number in the log, up to which all is here.
        """
        rows = [(source, upto, b"".join(self._sources[source])) for source in sorted(self._changed)]
        connection.executemany("INSERT OR REPLACE INTO deliveries VALUES (?, ?, ?)", rows)

    def written(self) -> None:
        """Take over what was committed."""
        self._changed.clear()


def joined(deliveries: Iterable[tuple[str, int, bytes]]) -> Mapping[str, bytes]:
    """Return the rows that have these deliveries: the pieces of each source."""
    found: dict[str, deque[bytes]] = {}
    for source, packet_id, digest in deliveries:
        found.setdefault(source, deque(maxlen=KEPT)).append(encoded(packet_id, digest))
    return {source: b"".join(pieces) for source, pieces in found.items()}
