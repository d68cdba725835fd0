"""A thread for calls that block, from green threads."""

from collections.abc import Callable
from functools import partial
from typing import Any, ParamSpec, TypeVar

import eventlet
import eventlet.event

from gateway.runtime.clock import monotonic
from gateway.runtime.green import spawn
from gateway.runtime.inbox import Inbox
from gateway.runtime.native import NativeSimpleQueue, NativeThread

T = TypeVar("T")
P = ParamSpec("P")


class _Job:
    """A call on its way; what comes of it after nobody waits any more is dropped."""

    def __init__(self, run: Callable[[], Any]) -> None:
        self.run = run
        self.done = eventlet.event.Event()
        self.abandoned = False


class Worker:
    """One native thread that runs blocking calls for green threads, in order."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: Any = NativeSimpleQueue()
        self._began: float | None = None
        self._inbox: Inbox[tuple[_Job, Any, BaseException | None]] = Inbox(self._deliver)
        self._task = spawn(self._inbox.run)
        self._thread = NativeThread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``function`` in the native thread; this green thread waits, the hub goes on."""
        job = self._begin(partial(function, *args, **kwargs))
        result: T = job.done.wait()
        return result

    def call_within(self, timeout_s: float, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do as ``call``, but wait for no call that runs for longer than ``timeout_s``, be it this or one before.

        Waiting for one's turn is no reason to give up. While the thread is stuck, nothing more is queued.

        Raises
        ------
        TimeoutError
            The thread is stuck. What the call comes to is dropped; it isn't begun any more if it was not.
        """
        if self._left_s(timeout_s) > 0:
            job = self._begin(partial(function, *args, **kwargs))
            while (left_s := self._left_s(timeout_s)) > 0:
                with eventlet.Timeout(left_s, False):
                    result: T = job.done.wait()
                    return result
            job.abandoned = True
        raise TimeoutError(f"{self._name}: no answer for {timeout_s:g} s")

    def _begin(self, run: Callable[[], Any]) -> _Job:
        job = _Job(run)
        self._jobs.put(job)
        return job

    def _left_s(self, timeout_s: float) -> float:
        """Return how long the call that runs now may still take."""
        began = self._began
        return timeout_s if began is None else began + timeout_s - monotonic()

    def close(self) -> None:
        """Let the thread end after what it was given."""
        self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            if not job.abandoned:
                self._run(job)
        self._inbox.close()

    def _run(self, job: _Job) -> None:
        self._began = monotonic()
        outcome: tuple[_Job, Any, BaseException | None]
        try:
            outcome = (job, job.run(), None)
        except BaseException as error:  # noqa: BLE001  handed to the caller as it is
            outcome = (job, None, error)
        self._began = None  # before anybody is told: a call right after this one finds the thread free
        self._inbox.post(outcome)

    @staticmethod
    def _deliver(outcome: tuple[_Job, Any, BaseException | None]) -> None:
        job, result, error = outcome
        if error is None:
            job.done.send(result)
        else:
            job.done.send_exception(error)
