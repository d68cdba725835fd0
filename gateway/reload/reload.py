"""Reads the configuration again when it is asked to, and lets what is different take effect."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from gateway.configuration import Configuration, load
from gateway.errors import ConfigError
from gateway.notify import Notifier
from gateway.plans import plans, values
from gateway.reload.exchange import UP_WITHIN_S, Exchange
from gateway.reload.report import NOTHING, Report
from gateway.runtime import Event, Worker
from gateway.settings import Settings
from gateway.sources import Sources

log = logging.getLogger(__name__)

_LOOK_S = 1.0
_READ_S = 20.0
"""For the file, and for what it imports."""
_ANSWER_S = 100.0
"""For the reload that runs and the one after it; gatewayctl waits a little longer."""


def read_again(configuration: Configuration) -> Configuration:
    """Read and check a configuration anew, in a native thread: a disk that doesn't answer stops no source.

    Raises
    ------
    ConfigError
        As ``load`` does.
    TimeoutError
        The disk doesn't answer.
    """
    reader = Worker("configuration")
    try:
        return reader.call_within(_READ_S, load, configuration.path, secrets=configuration.secrets)
    finally:
        reader.close()


@dataclass(slots=True)
class _Round:
    """One reading of the file, for everybody who asks before it begins."""

    asked: Event = field(default_factory=Event)
    done: Event = field(default_factory=Event)
    report: Report = field(default_factory=Report)


class Reload:
    """One reload after the other: who asks while one runs waits for the next, which sees the newest file.

    Parameters
    ----------
    configuration
        What runs.
    sources
        Those that run.
    read
        Reads and checks the file; raises ``ConfigError``.
    live
        By key, as ``gateway.name``, what lets a changed setting take effect; a key that isn't here needs a restart.
    notes
        Sentences that status shows; what is not in effect is among them, until it is.
    notifier
        Who is to know that a reload runs: systemd.
    up_within_s
        How long a changed source may take to be up.
    """

    def __init__(  # noqa: PLR0913  one parameter a thing that is touched
        self,
        configuration: Configuration,
        sources: Sources,
        *,
        read: Callable[[], Configuration],
        live: Mapping[str, Callable[[Settings], object]],
        notes: list[str],
        notifier: Notifier,
        up_within_s: float = UP_WITHIN_S,
    ) -> None:
        self._configuration = configuration
        self._in_effect = values(configuration.settings)
        self._sources = sources
        self._read = read
        self._live = {"gateway.name": _is_looked_up} | dict(live)
        self._notifier = notifier
        self._notes = notes
        self._noted: list[str] = []
        self._left: list[str] = []
        self._unusable: list[str] = []
        self._up_within_s = up_within_s
        self._next = _Round()

    def name(self) -> str:
        """Return what the gateway is called now."""
        return str(self._in_effect["gateway.name"])

    def ask(self) -> None:
        """Let the file be read again, soon; hub thread only."""
        self._next.asked.set()

    def answer(self) -> dict[str, object] | None:
        """Let the file be read again, and return RELOAD of docs/contract.md; None: that isn't over yet."""
        mine = self._next
        mine.asked.set()
        return mine.report.as_dict() if mine.done.wait(_ANSWER_S) else None

    def run(self, stopping: Event) -> None:
        """Reload whenever that is asked for, until ``stopping``; a green thread's body."""
        while not stopping.is_set():
            if self._next.asked.wait(_LOOK_S):
                mine, self._next = self._next, _Round()
                self._notifier.reloading()
                mine.report = self._reload(stopping)
                self._tell(mine.report)
                self._notifier.ready()
                mine.done.set()

    def _reload(self, stopping: Event) -> Report:
        try:
            new = self._read().sharing(self._configuration)
            settings, restart = self._different(new.settings)
            exchange = Exchange(self._sources, stopping, self._up_within_s)
            changes = exchange.to(plans(new), as_it_begins=partial(self._set, settings, new.settings))
            self._configuration = new
            return Report(sources=changes, settings=settings, restart=restart, warnings=new.remarks)
        except ConfigError as error:
            return Report(problems=[str(problem) for problem in error.problems])
        except Exception as error:
            log.exception("the configuration could not be read again")
            return Report(problems=[f"{type(error).__name__}: {error}; the gateway's log has more"])

    def _different(self, settings: Settings) -> tuple[list[str], list[str]]:
        """Return the keys of what is different: those that take effect now, and those that need a restart."""
        different = [key for key, value in values(settings).items() if value != self._in_effect[key]]
        return [key for key in different if key in self._live], [key for key in different if key not in self._live]

    def _set(self, keys: Sequence[str], settings: Settings) -> None:
        """Let settings take effect."""
        wanted = values(settings)
        for key in keys:
            self._live[key](settings)
            self._in_effect[key] = wanted[key]

    def _tell(self, report: Report) -> None:
        for change in report.sources:  # each with its source, so that many are not summed up
            level = logging.INFO if change.done else logging.WARNING
            log.log(level, "reload: %s", change, extra={"source": change.name})
        for key in report.settings:
            log.info("reload: %s changed", key)
        for line in (*report.unusable(), *report.left_settings(), *report.warnings):
            log.warning("reload: %s", line)
        if report.nothing:
            log.info("reload: %s", NOTHING)
        self._note(report)

    def _note(self, report: Report) -> None:
        """Let status say what is not in effect; that a source isn't up it says anyway, as long as it isn't."""
        if report.problems:
            self._unusable = list(report.unusable())[:1]
        else:
            self._unusable, self._left = [], list(report.left())
        others = [note for note in self._notes if note not in self._noted]
        self._noted = self._left + self._unusable
        self._notes[:] = others + self._noted


def _is_looked_up(_settings: Settings) -> None:
    """Do nothing: who needs it asks for it each time."""
