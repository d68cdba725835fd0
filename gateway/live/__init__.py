"""Viewers: live in a device's room, or catching up from the journal; never a hole without a name.

A viewer has a position for each device: the last ``seq`` it was sent. Live, it is in the room and
gets what is published. Catching up, it is not: a green thread reads the journal from its position,
as fast as this client takes it, and no further than what has been published; when it has reached
that, it enters the room in the same turn of the hub, so nothing can come between.

One that falls behind and comes no nearer is slow: it is shown the newest, with the extremes of
what it isn't shown, and a ``gap`` for each stretch that it isn't (docs/decisions/0013-slow-viewers.md).
"""

from gateway.live.credit import Credit
from gateway.live.live import Live, TooManyDevices
from gateway.live.outside import Event, History, Traffic, Transport

__all__ = ["Credit", "Event", "History", "Live", "TooManyDevices", "Traffic", "Transport"]
