"""The composition root: the one place that knows all the parts, and the order of start and stop."""

import logging
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from importlib.metadata import version

from gateway import runtime
from gateway.absences import Absences
from gateway.chores import Chores
from gateway.clockwatch import ClockWatch
from gateway.configuration import Configuration, no_source
from gateway.deliveries import Deliveries
from gateway.devices import Devices
from gateway.errors import JournalDown
from gateway.heartbeat import Lingering
from gateway.intake import Intake
from gateway.journal import Committed, GreenQueries, Journal, Opened, Queries
from gateway.ledger import Ledger
from gateway.live import Live
from gateway.memory import search_seldom_for_cycles
from gateway.metrics import Metrics
from gateway.notify import Notifier
from gateway.overview import Overview
from gateway.pipeline import Pipeline, Sinks
from gateway.plans import plans
from gateway.rejects import Rejects
from gateway.reload import Reload, read_again
from gateway.remembering import remember
from gateway.roster import Roster
from gateway.signals import Signals
from gateway.soundings import Soundings
from gateway.sources import Sources, stop_all
from gateway.status import Status
from gateway.upkeep import Upkeep
from gateway.watchdog import Watchdog
from gateway.web import app, control, ops, server
from gateway.web.front import Front
from gateway.web.guard import WsgiApp
from gateway.web.services import Services
from gateway.web.sockets import Sockets
from gateway.web.telemetry import Telemetry

VERSION = version("telemetry-gateway")
log = logging.getLogger(__name__)

FOR_EVER_S = 10 * 365 * 86400.0
_SETTLE_S = 1.0
"""For the last commit; after it the sources are closed with what is not acknowledged yet."""
_SOURCES_S = 1.0
"""For all of them together to end."""
_JOURNAL_S = 2.0
"""For what was taken to be written; a disk that is stuck is not waited for."""
_DEADLINE_S = 5.0
"""For the whole stop: more than its parts, and less than systemd waits."""


class Daemon:
    """The gateway as a process."""

    def __init__(self, configuration: Configuration) -> None:
        settings = configuration.settings
        state_dir = settings.gateway.state_dir
        self._configuration = configuration
        self._control_path = settings.gateway.control_socket
        self._stopping = runtime.Event()
        self._inbox: runtime.Inbox[Committed] = runtime.Inbox(lambda batch: self._pipeline.committed(batch))  # noqa: PLW0108  made below
        journal_path = state_dir / "journal.db"
        journal = self._journal = Journal(journal_path, settings.journal, self._inbox.post)
        queries = Queries(journal_path, lambda: journal.writable, journal.tails)
        self._queries = GreenQueries(queries, journal.told_absences)
        self._devices = Devices(runtime.now, runtime.monotonic)
        self._deliveries = Deliveries()
        self._roster = Roster()
        self._front = Front(settings.web)
        self._sockets = Sockets(self._front.socketio)
        self._live = Live(self._sockets, self._queries)
        self._overview = Overview(self._devices, self._sockets, runtime.monotonic)
        self._sinks = Sinks(Ledger([]), self._devices, self._deliveries, self._live, self._overview)
        self._pipeline = Pipeline({}, self._journal, self._sinks, {})
        self._sources = self._compose_sources()
        self._rejects = Rejects(self._queries, self._pipeline.replay, self._pipeline.sources)
        self._ops = ops.Ops(Sockets(self._front.socketio, ops.NAMESPACE), self._pipeline.ledger, self._rejects)
        self._notes: list[str] = []
        self._hub = runtime.HubLag()
        self._chores = Chores(self._notes)
        self._upkeep = self._compose_upkeep()
        self._soundings = Soundings(self._queries, self._pipeline.ledger, self._pipeline.meters)
        self._notifier = Notifier(os.environ)
        self._reload = self._compose_reload()
        self._status = self._compose_status()
        self._watchdog = self._compose_watchdog()
        self._control = self._compose_web()
        self._closed = False

    # ---- composing

    def _compose_sources(self) -> Sources:
        known, hide = (self._deliveries, self._roster), self._configuration.secrets.hide
        sources = Sources(lambda plan: Intake.of(plan.config, plan.profiles, *known), self._pipeline, hide)
        wanted = plans(self._configuration)
        sources.put_up([sources.make(plan) for plan in wanted.values()], wanted)
        return sources

    def _compose_upkeep(self) -> Upkeep:
        return Upkeep(
            chores=self._chores,
            journal=self._journal,
            pipeline=self._pipeline,
            supervisors=self._sources.supervisors,
            devices=self._devices,
            live=self._live,
            overview=self._overview,
            clock=ClockWatch(runtime.now, runtime.since_boot),
            absences=Absences(self._journal, partial(self._sockets.announce, None)),
            announce=partial(self._sockets.announce, None),
        )

    def _compose_reload(self) -> Reload:
        live = {"web.allowed_origins": lambda settings: self._front.guard.allow(settings.web.allowed_origins)}
        live |= dict.fromkeys(("journal.retention", "journal.max_size"), lambda to: self._journal.limit(to.journal))
        bounds = ("web.max_clients", "web.max_clients_per_address", "web.trusted_proxies")
        live |= dict.fromkeys(bounds, lambda to: self._front.limit(to.web))
        return Reload(
            self._configuration,
            self._sources,
            read=partial(read_again, self._configuration),
            live=live,
            notes=self._notes,
            notifier=self._notifier,
        )

    def _compose_watchdog(self) -> Watchdog:
        stages = {
            "intake": Lingering(lambda: self._pipeline.in_intake).age_s,
            "journal writer": self._journal.heartbeat.age_s,
            "publishing": Lingering(self._inbox.in_hand).age_s,
            "live side": self._upkeep.viewers_served.age_s,
            "supervisor": self._upkeep.sources_judged.age_s,
        }
        return Watchdog(self._notifier, stages, self._status.summary)

    def _compose_status(self) -> Status:
        return Status(
            name=self._reload.name,
            version=VERSION,
            started=runtime.monotonic(),
            supervisors=self._sources.supervisors,
            pipeline=self._pipeline,
            devices=self._devices,
            journal=self._journal,
            notes=self._notes,
            hanging=lambda: self._watchdog.problems,
            idle=no_source(self._configuration.path),
            clients=self._sockets.clients,
            hub=self._hub,
            soundings=self._soundings,
            stopping=self._stopping,
        )

    def _compose_web(self) -> WsgiApp:
        services = Services(
            name=self._reload.name,
            version=VERSION,
            configuration=self._configuration.path.absolute(),
            devices=self._devices,
            live=self._live,
            history=self._queries,
            rejects=self._rejects,
            status=self._status.describe,
            unready=self._status.unready,
            metrics=Metrics(self._status, self._sockets).render,
            reload=self._reload.answer,
        )
        app.add_routes(self._front.app, services)
        self._front.socketio.on_namespace(Telemetry(services, self._sockets))
        self._front.socketio.on_namespace(self._ops)
        return control.create(services)

    # ---- running

    def run(self) -> None:
        """Run until SIGTERM or SIGINT; raises JournalDown or CannotStart."""
        self._notifier.status("opening the journal")
        self._remember(self._journal.open())
        listener = self._front.listen()
        control_listener = server.listen_for_control(self._control_path, self._notes, needed=self._journal.writable)
        self._install_signals()
        self._hub.watch()
        serving = [self._front.serve(listener, self._stopping, self._chores)]
        if control_listener is not None:
            door = server.control_door(control_listener)
            serving.append(runtime.spawn(server.serve, door, self._control, self._chores))
        runtime.spawn(self._inbox.run)
        for task in (self._upkeep.serve_viewers, self._upkeep.judge_sources, self._reload.run):
            runtime.spawn(task, self._stopping)
        for chore in (self._watchdog.run, self._ops.run, self._soundings.run):
            runtime.spawn(chore, self._stopping, self._chores)
        for supervisor in self._sources.supervisors:
            supervisor.start()
        search_seldom_for_cycles()
        log.info("ready on %s", server.url_of(listener))
        self._notifier.ready()
        self._stopping.wait(FOR_EVER_S)
        self._stop(serving)

    def _remember(self, opened: Opened) -> None:
        if opened.problem:
            log.error("%s", opened.problem)
            self._notes.append(opened.problem)
        if opened.note:
            log.warning("%s", opened.note)
        remember(opened, self._sinks, self._roster, self._configuration.profiles)

    def _install_signals(self) -> None:
        ends = dict.fromkeys((signal.SIGTERM, signal.SIGINT), self._stopping.set)
        signals = Signals({**ends, signal.SIGHUP: self._reload.ask})
        signals.install()
        runtime.spawn(signals.run)

    # ---- stopping

    def _stop(self, serving: Sequence[runtime.Task]) -> None:
        """Commit and settle what came in, stop the sources, close the viewers; past the deadline end hard."""
        log.info("stopping")
        self._notifier.stopping()
        self._notifier.status("stopping: writing what came in")
        runtime.end_process_after(_DEADLINE_S, lambda: 0 if self._closed else 1)
        self._pipeline.close()
        settled_by = runtime.monotonic() + _SETTLE_S
        while self._pipeline.ledger.in_flight and runtime.monotonic() < settled_by:
            runtime.sleep(0.005)
        stop_all(self._sources.supervisors, _SOURCES_S)
        self._upkeep.keep_ledger()
        self._closed = runtime.Worker("closing").call(self._journal.close, _JOURNAL_S)
        self._inbox.drain()
        self._live.flush()
        self._sockets.close_all()
        self._notifier.close()
        for task in serving:
            task.kill()
        with suppress(OSError):  # a read-only disk has none of ours
            self._control_path.unlink()
        if not self._closed:
            raise JournalDown("the journal did not come to its end in time: its newest readings may not be written")
        self._pipeline.sum_up(all_now=True)
        log.info("stopped")
