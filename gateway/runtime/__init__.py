"""Green threads, waiting, and the one way from native threads onto the hub.

Below ``__main__`` and ``web`` this alone imports eventlet, so that another runtime could take its
place. Three rules hold everywhere else:

* nothing that blocks runs on the hub: it goes through a ``Worker``;
* a native thread never touches a green object: it calls ``Inbox.post`` (docs/traps.md 6.3);
* a native thread never logs: the logging locks are green (docs/traps.md 6.3). Errors come back as data.
"""

import warnings

warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")

from gateway.runtime.clock import SET_AFTER, boot_id, cpu_time, is_set, monotonic, now, since_boot
from gateway.runtime.green import Event, Task, sleep, spawn, wait_readable, wait_writable
from gateway.runtime.inbox import Inbox
from gateway.runtime.lag import HubLag
from gateway.runtime.names import resolve_in_background
from gateway.runtime.native import (
    NativeCondition,
    NativeEvent,
    NativeThread,
    end_process_after,
    native_datagram_socket,
    native_socketpair,
    native_write,
    read_now,
)
from gateway.runtime.stacks import stacks
from gateway.runtime.worker import Worker

__all__ = [
    "SET_AFTER",
    "Event",
    "HubLag",
    "Inbox",
    "NativeCondition",
    "NativeEvent",
    "NativeThread",
    "Task",
    "Worker",
    "boot_id",
    "cpu_time",
    "end_process_after",
    "is_set",
    "monotonic",
    "native_datagram_socket",
    "native_socketpair",
    "native_write",
    "now",
    "read_now",
    "resolve_in_background",
    "since_boot",
    "sleep",
    "spawn",
    "stacks",
    "wait_readable",
    "wait_writable",
]
