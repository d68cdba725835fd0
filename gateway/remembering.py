"""At a start: all parts know again what the journal kept of earlier runs."""

from collections.abc import Mapping

from gateway.journal import Opened
from gateway.model import Reading
from gateway.pipeline import Sinks
from gateway.profiles import Profile
from gateway.roster import Roster


def remember(opened: Opened, sinks: Sinks, roster: Roster, profiles: Mapping[str, Profile]) -> None:
    """Tell each part what it knew, before anything new comes in."""
    for known in opened.devices:
        last = Reading.from_body(known.device, known.last.seq, known.last.body)
        sinks.devices.restore(known.source, last, profiles.get(known.profile or ""))
        sinks.live.restore(known.device, known.last.seq)
        roster.add(known.device)
    sinks.live.resume(opened.resume, opened.kept)
    for delivery in opened.deliveries:
        sinks.deliveries.remember(*delivery)
    sinks.ledger.restore(opened.ledger)
