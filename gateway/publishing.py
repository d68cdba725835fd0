"""From a commit to whom it concerns: latest values, viewers, the room of all devices."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from gateway.devices import Devices
from gateway.journal import Rebased
from gateway.live import Live
from gateway.logs import Defects
from gateway.model import Entry, Reading, wire
from gateway.overview import Overview
from gateway.profiles import Profile


@dataclass(slots=True)
class _Run:
    """Readings of one device in the order of their ``seq``, which came the same way."""

    source: str
    profile: str | None
    before: bool
    """Whether they were shown already, without ``seq``."""
    readings: list[Reading] = field(default_factory=list)

    def goes_on_with(self, entry: Entry) -> bool:
        """Tell whether the readings of ``entry`` belong to it; at worst, equal names that aren't one object part it."""
        return self.source is entry.source and self.profile is entry.profile and self.before is entry.shown


class Publishing:
    """Groups what is to be shown by device, as each device costs more than each reading; hub thread only.

    Parameters
    ----------
    devices, live, overview
        Who is told.
    profiles
        By source and name; looked at anew each time.
    """

    def __init__(
        self, devices: Devices, live: Live, overview: Overview, profiles: Mapping[str, Mapping[str, Profile]]
    ) -> None:
        self._devices = devices
        self._live = live
        self._overview = overview
        self._profiles = profiles
        self._waiting: defaultdict[str, list[_Run]] = defaultdict(list)
        self._defects = Defects(__name__)

    def publish(self, entries: Sequence[Entry], *, kept: bool) -> bool:
        """Show the readings of ``entries``, without ``seq`` if these are ``kept``; return whether there were any."""
        published = False
        for entry in entries:
            if entry.readings:
                published = True
                self._gather(entry, kept)
            elif entry.availability:
                self._send()  # what came before it
                self._devices.announce(*entry.availability, retained=entry.message.retained)
        self._send()
        return published

    def put_right(self, moved: Rebased) -> None:
        """Tell who knows readings by stamps of before the clock was set."""
        if moved.newest:
            self._devices.replace_last(moved.device, wire(moved.newest.seq, moved.newest.body))
        news = {"device": moved.device, "from": moved.first, "to": moved.last, "by": round(moved.by_s, 6)}
        self._live.tell(moved.device, "rebased", news)
        self._overview.touch([moved.device])

    def _gather(self, entry: Entry, kept: bool) -> None:
        for reading in entry.readings:
            runs = self._waiting[reading.device]
            if not (runs and runs[-1].goes_on_with(entry)):
                runs.append(_Run(entry.source, entry.profile, entry.shown))
            # a copy, since the writer may give the waiting one its seq at any time
            runs[-1].readings.append(replace(reading, seq=None) if kept else reading)

    def _send(self) -> None:
        waiting, self._waiting = self._waiting, defaultdict(list)
        with self._live.together():
            for device, runs in waiting.items():
                self._send_one(device, runs)
        self._overview.touch(waiting)

    def _send_one(self, device: str, runs: Sequence[_Run]) -> None:
        try:
            is_news = False
            for run in runs:
                is_news |= self._update(device, run)
            self._live.publish(device, _all(runs))
            if is_news:
                self._live.tell(device, "device", self._devices.describe(device))
        except Exception as error:  # noqa: BLE001  a defect in one part ends nothing but that part
            self._defects.report("publishing", error)

    def _update(self, device: str, run: _Run) -> bool:
        """Tell the devices' table; return whether a viewer has to learn anew what the metrics are."""
        if run.before:
            self._devices.replace_last(device, run.readings[-1].wire())
            return False
        profile = self._profiles.get(run.source, {}).get(run.profile or "")
        return self._devices.update(run.source, run.readings, profile)


def _all(runs: Sequence[_Run]) -> Sequence[Reading]:
    return runs[0].readings if len(runs) == 1 else [reading for run in runs for reading in run.readings]
