import os
import socket
from contextlib import closing

import pytest

from gateway.notify import Notifier
from tests.support.service_manager import ServiceManager


def test_each_thing_is_told_in_the_words_of_sd_notify(tmp_path):
    with ServiceManager(tmp_path) as systemd, closing(Notifier(systemd.environment)) as notifier:
        notifier.status("opening\nthe journal")
        notifier.ready()
        notifier.reloading()
        notifier.alive()
        notifier.stopping()
        assert systemd.take() == [
            ("STATUS", "opening the journal"),
            ("READY", "1"),
            ("RELOADING", "1"),
            ("WATCHDOG", "1"),
            ("STOPPING", "1"),
        ]


def test_a_status_is_told_once(tmp_path):
    with ServiceManager(tmp_path) as systemd, closing(Notifier(systemd.environment)) as notifier:
        for words in ("1 of 2 sources up", "1 of 2 sources up", "2 of 2 sources up"):
            notifier.status(words)
        assert systemd.values("STATUS") == ["1 of 2 sources up", "2 of 2 sources up"]


def test_an_abstract_socket_is_found():
    name = f"telemetry-gateway-test-{os.getpid()}"
    told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    with told as systemd, closing(Notifier({"NOTIFY_SOCKET": f"@{name}"})) as notifier:
        systemd.bind(f"\0{name}")
        notifier.ready()
        assert systemd.recv(100) == b"READY=1"


def test_what_found_nobody_goes_with_what_is_told_next(tmp_path):
    systemd = ServiceManager(tmp_path)
    with closing(Notifier(systemd.environment)) as notifier:
        notifier.status("1 of 1 sources up")
        notifier.ready()
        with systemd:
            notifier.status("1 of 1 sources up")
            assert systemd.take() == [("STATUS", "1 of 1 sources up"), ("READY", "1")]


def test_a_full_socket_is_not_waited_for(tmp_path):
    with ServiceManager(tmp_path) as systemd, closing(Notifier(systemd.environment)) as notifier:
        for number in range(2000):  # far more than the kernel queues
            notifier.status(str(number))
        notifier.ready()
        assert not systemd.values("READY")
        notifier.status("1999")
        assert systemd.take()[-2:] == [("STATUS", "1999"), ("READY", "1")]


def test_without_systemd_nothing_happens():
    notifier = Notifier({"WATCHDOG_USEC": "1000000"})
    notifier.ready()
    assert notifier.watchdog_s is None


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({"WATCHDOG_USEC": "60000000"}, 60.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())}, 60.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_whether_somebody_watches(environment, seconds):
    assert Notifier({"NOTIFY_SOCKET": "/nowhere", **environment}).watchdog_s == seconds
