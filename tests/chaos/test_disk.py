"""The disk is full, read-only, or holds a broken file: live goes on, and what is kept by its sender is stored later."""

import random
import signal
from collections import Counter

import pytest

from tests.chaos.books import Auditor
from tests.chaos.faithful import IMPATIENT, Faithful
from tests.chaos.mortal import GATEWAYD, Mortal
from tests.chaos.publisher import Publisher
from tests.chaos.sensor import COLUMNS, CountingSensor
from tests.chaos.small_disk import SmallDisk
from tests.support.daemon import mqtt, serial
from tests.support.mosquitto import Mosquitto
from tests.support.ports import wait_until

SENSOR = "bench-sensor"
RATE = 100


def reading(number):
    return "sensors/kitchen", b'{"n": %d}' % number


def numbers(daemon):
    return [one["values"]["n"] for one in daemon.readings("kitchen")]


def problems(daemon):
    return "; ".join(daemon.get("/api/v1/status")["problems"])


def is_writable(daemon):
    return daemon.get("/api/v1/status")["journal"]["writable"]


def shown_without_seq(viewer, device):
    return [each for each in viewer.readings(device) if each["seq"] is None]


@pytest.fixture
def broker(tmp_path):
    with Mosquitto(tmp_path / "broker") as running:
        yield running


@pytest.fixture
def disk(tmp_path):
    with SmallDisk(tmp_path / "state", size_kib=16384) as mounted:
        yield mounted


@pytest.fixture
def daemon(tmp_path, broker, disk):
    link = tmp_path / "port"
    tables = mqtt(broker.port) + serial(link, columns=COLUMNS)
    # A daemon that isn't root locks a pty in a way that outlives its kill, unlike that of a real port.
    sensor = CountingSensor(link, random.Random(0), unplugging=0.02)
    with sensor, Mortal(tmp_path, tables, command=disk.command(GATEWAYD)) as running:
        running.wait_up("broker", "bench")
        yield running


def check_each_promised_once(daemon, publisher):
    wait_until(lambda: publisher.acknowledged <= set(numbers(daemon)), "all that was promised", timeout_s=30.0)
    assert [number for number, times in Counter(numbers(daemon)).items() if times > 1] == []


def test_a_disk_that_fills_up_and_has_room_again(daemon, broker, disk):
    with (
        Faithful(daemon.url, "kitchen", SENSOR, options=IMPATIENT) as viewer,
        Publisher(broker.port, RATE, reading) as publisher,
        Auditor(daemon.url),
    ):
        wait_until(lambda: viewer.newest("kitchen") > 50, "readings are seen")
        for _ in range(2):
            disk.fill()
            wait_until(lambda: not is_writable(daemon), "the disk is found full")
            assert "the disk is full" in problems(daemon)
            for device in ("kitchen", SENSOR):
                before = len(shown_without_seq(viewer, device))
                wait_until(lambda: len(shown_without_seq(viewer, device)) > before + 10, f"{device} goes on")  # noqa: B023
            stored = set(numbers(daemon))
            disk.make_room()
            wait_until(lambda: is_writable(daemon), "writing goes on by itself")
            assert "the disk is full" not in problems(daemon)
        publisher.stop()
        check_each_promised_once(daemon, publisher)
        assert stored < set(numbers(daemon))
        newest = len(numbers(daemon))
        wait_until(lambda: viewer.newest("kitchen") == newest, "the newest is seen")
        assert viewer.check_unbroken("kitchen") == newest
        books = {source["name"]: source["ledger"] for source in daemon.get("/api/v1/status")["sources"]}
        assert books["broker"]["dropped"] == 0
        assert books["bench"]["dropped"] > 0


def test_what_comes_while_the_disk_is_full_is_not_acknowledged(daemon, broker, disk):
    with Publisher(broker.port, RATE, reading) as publisher:
        wait_until(lambda: daemon.ledger()["stored"] > 100, "readings are stored")
        disk.fill()
        wait_until(lambda: not is_writable(daemon), "the disk is found full")
        full_at = publisher.sent
        wait_until(lambda: publisher.sent > full_at + 50, "more comes meanwhile")
        daemon.kill()  # with all that it has in memory
    disk.make_room()
    daemon.start()
    check_each_promised_once(daemon, publisher)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_start_on_a_full_disk(daemon, broker, disk, end):
    with Publisher(broker.port, RATE, reading) as publisher:
        wait_until(lambda: daemon.ledger()["stored"] > 100, "readings are stored")
        daemon.stop(end)  # in good order leaves no write-ahead log behind, which then has to be made
        disk.fill()
        daemon.start()
        wait_until(lambda: not is_writable(daemon), "the disk is found full")
        disk.make_room()
        wait_until(lambda: is_writable(daemon), "writing goes on by itself")
        publisher.stop()
        check_each_promised_once(daemon, publisher)


@pytest.mark.parametrize("leaves_log", [True, False])
def test_a_start_on_a_read_only_disk(daemon, broker, disk, leaves_log):
    with (
        Publisher(broker.port, RATE, reading) as publisher,
        Faithful(daemon.url, "kitchen", SENSOR, options=IMPATIENT) as viewer,
    ):
        wait_until(lambda: daemon.ledger()["stored"] > 100, "readings are stored")
        daemon.stop(signal.SIGKILL if leaves_log else signal.SIGTERM)
        if not leaves_log:
            assert disk.root.joinpath("journal.db-wal").stat().st_size == 0
            for suffix in ("-wal", "-shm"):  # SQLite does so itself where nobody else has the file open
                disk.root.joinpath(f"journal.db{suffix}").unlink()
        disk.remount("ro")
        daemon.start()
        wait_until(lambda: not is_writable(daemon), "the disk is found read-only")
        assert "read-only" in problems(daemon)
        for device in ("kitchen", SENSOR):
            wait_until(lambda: len(shown_without_seq(viewer, device)) > 10, f"{device} goes on")  # noqa: B023
        disk.remount("rw")
        wait_until(lambda: is_writable(daemon), "writing goes on by itself")
        publisher.stop()
        check_each_promised_once(daemon, publisher)


def halved(data, chance):
    return data[: chance.randrange(len(data) // 4, len(data) // 2)]


def garbage(data, chance):
    return chance.randbytes(len(data))


def garbage_within(data, chance):
    at = chance.randrange(4096, len(data) // 2)
    return data[:at] + chance.randbytes(8192) + data[at + 8192 :]


@pytest.mark.parametrize("damage", [halved, garbage, garbage_within])
def test_a_damaged_journal_is_moved_aside_and_live_goes_on(daemon, broker, disk, damage, chance):
    with Faithful(daemon.url, "kitchen", options=IMPATIENT) as viewer:
        damaged = store_and_damage(daemon, broker, disk, lambda data: damage(data, chance))
        daemon.start()
        (aside,) = [path for path in disk.root.glob("journal.db.damaged-*") if path.name.endswith("Z")]
        assert aside.read_bytes() == damaged
        assert aside.name in problems(daemon)
        assert "was damaged" in problems(daemon)
        publish_more(daemon, broker)
        wait_until(lambda: viewer.readings("kitchen")[-1]["values"]["n"] == numbers(daemon)[-1], "live goes on")
        assert is_writable(daemon)


@pytest.mark.parametrize("damage", [halved, garbage, garbage_within])
@pytest.mark.parametrize("before", [True, False])
def test_not_even_damage_gives_one_seq_to_two_readings_or_leaves_a_hole_unnamed(
    *, daemon, broker, disk, damage, before, chance
):
    with Faithful(daemon.url, "kitchen", options=IMPATIENT) as viewer:
        store_and_damage(daemon, broker, disk, lambda data: damage(data, chance))
        connections = viewer.connections
        daemon.start()
        if before:  # it waits for a device that nobody remembers, or finds it there
            wait_until(lambda: viewer.connections > connections, "the viewer is back")
        publish_more(daemon, broker)
        wait_until(lambda: viewer.readings("kitchen")[-1]["values"]["n"] == numbers(daemon)[-1], "live goes on")
        seen = Counter(one["seq"] for one in viewer.readings("kitchen"))
        assert [seq for seq, times in seen.items() if times > 1] == []
        assert viewer.check_unbroken("kitchen") == daemon.readings("kitchen")[-1]["seq"]


def store_and_damage(daemon, broker, disk, damage):
    """Let some readings be stored and end the daemon; return the journal's bytes as they are then."""
    with Publisher(broker.port, 1000, reading) as publisher:
        wait_until(lambda: publisher.sent > 2000, "readings come in")
    wait_until(lambda: len(numbers(daemon)) == publisher.sent, "all are stored")
    assert daemon.stop() == 0
    journal = disk.root / "journal.db"
    journal.write_bytes(damage(journal.read_bytes()))
    return journal.read_bytes()


def publish_more(daemon, broker):
    """Let readings come whose numbers follow those before, and all be stored."""
    with Publisher(broker.port, RATE, lambda number: reading(1_000_000 + number)) as publisher:
        wait_until(lambda: publisher.sent > 100, "readings come again")
    check_each_promised_once_after(daemon, publisher, 1_000_000)


def check_each_promised_once_after(daemon, publisher, start):
    promised = {start + number for number in publisher.acknowledged}
    wait_until(lambda: promised <= set(numbers(daemon)), "all that was promised", timeout_s=30.0)
