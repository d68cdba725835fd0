"""The payloads of ``readings`` and ``gap``: stored bytes joined, nothing encoded again."""

from collections.abc import Generator, Iterator, Sequence
from itertools import groupby

import orjson

from gateway.journal import Condensed
from gateway.live.outside import Event
from gateway.live.watches import Watch
from gateway.model import wire


def readings(
    device: str, wires: Sequence[bytes], thinned: tuple[int | None, int | None] | None = None
) -> orjson.Fragment:
    """Return the payload of ``readings``; ``thinned``: from and to which ``seq`` these stand for all."""
    mark = b"" if thinned is None else b',"thinned":%s' % orjson.dumps({"from": thinned[0], "to": thinned[1]})
    return orjson.Fragment(b'{"device":%s,"readings":[%s]%s}' % (orjson.dumps(device), b",".join(wires), mark))


def account(watch: Watch, upto: int, view: Condensed, lost: str) -> Iterator[Event]:
    """Return events that account once, in order, for each ``seq`` from the position of ``watch`` up to ``upto``.

    ``lost`` is why there is nothing past the end of ``view``.
    """
    position = yield from _begin(watch, view)
    # consecutive ones differ by the same number from how many came before them
    for _, run in groupby(enumerate(view.kept), key=lambda numbered: numbered[1].seq - numbered[0]):
        shown = [stored for _, stored in run]
        if shown[0].seq > position + 1:
            yield from _left_out(watch.device, position + 1, shown[0].seq - 1, view)
        position = shown[-1].seq
        yield "readings", readings(watch.device, [wire(stored.seq, stored.body) for stored in shown])
    if position < upto:
        yield _gap(watch.device, position + 1, upto, lost)


def thin(watch: Watch, upto: int, view: Condensed) -> Iterator[Event]:
    """Return the same events for a viewer who asked for few: all that is kept in one."""
    position = yield from _begin(watch, view)
    wires = [wire(stored.seq, stored.body) for stored in view.kept]
    yield "readings", readings(watch.device, wires, None if view.is_whole else (position + 1, upto))


def _begin(watch: Watch, view: Condensed) -> Generator[Event, None, int]:
    """Account for what comes before ``view``; return up to where."""
    if view.oldest <= watch.position + 1:
        return watch.position
    if view.cut:
        yield from _left_out(watch.device, watch.position + 1, view.oldest - 1, view)
    else:
        yield _gap(watch.device, watch.position + 1, view.oldest - 1, "expired")
    return view.oldest - 1


def _left_out(device: str, first: int, last: int, view: Condensed) -> Iterator[Event]:
    """Account for a stretch of which nothing is kept: left out as this viewer is slow, but for what isn't there."""
    if view.is_whole:
        yield _gap(device, first, last, "expired")
        return
    for lost_first, lost_last in view.holes:
        begin, end = max(first, lost_first), min(last, lost_last)
        if begin <= end:
            if first < begin:
                yield _gap(device, first, begin - 1, "slow")
            yield _gap(device, begin, end, "expired")
            first = end + 1
    if first <= last:
        yield _gap(device, first, last, "slow")


def _gap(device: str, first: int, last: int, reason: str) -> Event:
    return "gap", {"device": device, "from": first, "to": last, "reason": reason}
