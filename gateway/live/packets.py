"""The payloads of ``readings`` and ``gap``: stored bytes joined, nothing encoded again."""

from collections.abc import Iterator, Sequence
from itertools import groupby

import orjson

from gateway.journal import Condensed
from gateway.live.outside import Event
from gateway.live.watches import Watch
from gateway.model import wire


def readings(device: str, wires: Sequence[bytes]) -> orjson.Fragment:
    """Return the payload of ``readings``."""
    return orjson.Fragment(b'{"device":%s,"readings":[%s]}' % (orjson.dumps(device), b",".join(wires)))


def account(watch: Watch, upto: int, view: Condensed, lost: str) -> Iterator[Event]:
    """Return events that account once, in order, for each ``seq`` from the position of ``watch`` up to ``upto``.

    ``lost`` is why there is nothing past the end of ``view``.
    """
    position = watch.position
    if view.oldest > position + 1:
        yield _gap(watch.device, position + 1, view.oldest - 1, "slow" if view.cut else "expired")
        position = view.oldest - 1
    # consecutive ones differ by the same number from how many came before them
    for _, run in groupby(enumerate(view.kept), key=lambda numbered: numbered[1].seq - numbered[0]):
        shown = [stored for _, stored in run]
        if shown[0].seq > position + 1:
            yield _gap(watch.device, position + 1, shown[0].seq - 1, "slow")
        position = shown[-1].seq
        yield "readings", readings(watch.device, [wire(stored.seq, stored.body) for stored in shown])
    if position < upto:
        yield _gap(watch.device, position + 1, upto, lost)


def _gap(device: str, first: int, last: int, reason: str) -> Event:
    return "gap", {"device": device, "from": first, "to": last, "reason": reason}
