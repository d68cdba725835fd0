"""The sources that run: each an adapter under its supervisor, and the intake that its messages go through."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from gateway.intake import Intake
from gateway.pipeline import Pipeline
from gateway.plans import Plan
from gateway.runtime import monotonic
from gateway.supervisor import Supervisor

_STOP_S = 5.0
"""For those that are taken down while others run: nothing is in a hurry then, and what they took in may be stored."""


@dataclass(frozen=True, slots=True)
class Running:
    """A source that is made, and what it was made of."""

    plan: Plan
    supervisor: Supervisor
    intake: Intake


class Sources:
    """Makes, starts and replaces sources; hub thread only.

    Parameters
    ----------
    intake_of
        Makes the intake of a plan.
    pipeline
        Where messages go.
    hide
        Takes secrets out of what sources say.
    """

    def __init__(
        self, intake_of: Callable[[Plan], Intake], pipeline: Pipeline, hide: Callable[[str], str] = str
    ) -> None:
        self.supervisors: list[Supervisor] = []
        """In the order of the file; the list stays the same one, for those who look at it."""
        self._intake_of = intake_of
        self._pipeline = pipeline
        self._hide = hide
        self._running: dict[str, Running] = {}

    @property
    def plans(self) -> Mapping[str, Plan]:
        """How each source runs."""
        return {name: running.plan for name, running in self._running.items()}

    def supervisor(self, name: str) -> Supervisor:
        """Return the supervisor of a source."""
        return self._running[name].supervisor

    def make(self, plan: Plan) -> Running:
        """Return what is needed to run a source; nothing else is touched yet.

        Raises
        ------
        Exception
            Whatever an adapter's constructor raises.
        """
        intake = self._intake_of(plan)
        take = partial(self._pipeline.take, plan.config.name)
        supervisor = Supervisor(plan.kind(plan.config), take, self._hide, self._pipeline.slack_s)
        return Running(plan, supervisor, intake)

    def put_up(self, made: Sequence[Running], order: Iterable[str]) -> None:
        """Take these in, without starting them; ``order`` has the names of all, as status is to show them."""
        for running in made:
            self._take(running)
        self._running = {name: self._running[name] for name in order}
        self.supervisors[:] = [running.supervisor for running in self._running.values()]
        self._pipeline.ledger.show(self._running)

    def take_down(self, names: Collection[str]) -> None:
        """End these sources, and wait for them; what they took in goes its way, and their accounts stay."""
        going = [self._running[name].supervisor for name in names]
        stop_all(going, _STOP_S)
        for supervisor in going:
            supervisor.retire()

    def drop(self, names: Iterable[str]) -> None:
        """Forget sources that were taken down, and that nothing comes in the place of."""
        for name in names:
            del self._running[name]
            self._pipeline.forget(name)

    def exchange_profiles(self, plan: Plan) -> None:
        """Let what comes from now on be held against the plan's profiles; its adapter doesn't notice."""
        name = plan.config.name
        running = self._running[name]
        self._take(Running(plan, running.supervisor, self._intake_of(plan)))

    def _take(self, running: Running) -> None:
        name = running.plan.config.name
        self._running[name] = running
        self._pipeline.use(name, running.intake, running.plan.profiles)


def stop_all(supervisors: Sequence[Supervisor], within_s: float) -> None:
    """End all sources; however many of them hang, it takes hardly longer than ``within_s``."""
    for supervisor in supervisors:
        supervisor.stop()
    ended_by = monotonic() + within_s
    for supervisor in supervisors:
        supervisor.join(max(0.0, ended_by - monotonic()))
