"""``gatewayctl doctor`` and ``check`` as their user meets them: every fault of docs/doctor.md is seeded and named."""

import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.findings import Finding
from tests.support.faults.box import Box
from tests.support.faults.brokers import broker, mqtt, passwords
from tests.support.faults.ports import serial
from tests.support.faults.systemd import systemd
from tests.support.faults.table import END, PAGE, faults, rendered
from tests.support.faults.tls import secured, trusting
from tests.support.ports import free_port, wait_until
from tests.support.ptys import VirtualPort

FAULTS = faults()


@pytest.fixture(scope="module")
def looked_at(request):
    """Return what comes of each fault that is to be tested; two at a time, as they have no more in common than that."""
    wanted = {item.callspec.params["name"] for item in request.session.items if "looked_at" in item.fixturenames}
    with ThreadPoolExecutor(2) as pool:
        yield {name: pool.submit(look_at, FAULTS[name]) for name in FAULTS if name in wanted}
        pool.shutdown(cancel_futures=True)


def look_at(fault):
    """Return what the program said, or what was found directly; None: nobody may seed it."""
    if fault.root and os.geteuid() != 0:
        return None
    with Box() as box:
        direct = fault.seed(box)
        return direct if isinstance(direct, list) else box.visit(*(["check"] if fault.program == "check" else []))


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_with_its_remedy(looked_at, name):
    fault, found = FAULTS[name], looked_at[name].result()
    if found is None:
        pytest.skip("needs root")
    if isinstance(found, list):
        return _expect(fault, [_plain(finding) for finding in found])
    assert found.code == fault.exit, found
    if fault.program == "check":
        return _in_words(fault, found.err)
    return _expect(fault, found.findings)


def _expect(fault, findings):
    found = [finding for finding in findings if finding["name"] == fault.finding]
    assert found, findings
    assert any(_fits(fault, finding) for finding in found), found


def _fits(fault, finding):
    parts = [part in finding["text"] for part in fault.said]
    return finding["severity"] == fault.severity and fault.remedy in finding["remedy"] and all(parts)


def _in_words(fault, printed):
    for part in (*fault.said, fault.remedy):
        assert part in printed


def _plain(finding):
    assert isinstance(finding, Finding)
    return {"name": finding.name, "severity": str(finding.severity), "text": finding.text, "remedy": finding.remedy}


def test_there_are_many_and_the_page_lists_them_as_they_are():
    assert len(FAULTS) >= 40
    assert rendered() + END in PAGE.read_text(), "python -m tests.support.faults.table writes it"


def test_tools_for_the_faults_are_there():
    assert all(map(shutil.which, ("openssl", "mosquitto_passwd", "prlimit")))


# ---- where nothing is wrong


def test_a_gateway_that_works_has_no_findings():
    with Box() as box:
        port, ca_file = secured(box)
        line = box.stack.enter_context(VirtualPort(box.folder / "port"))
        daemon = box.daemon(trusting(port, ca_file) + serial(line.link))
        daemon.wait_up("broker", "bench")
        assert wrong(box) == []
        daemon.stop()
        assert wrong(box) == []


def test_a_running_gateway_is_not_disturbed():
    with Box() as box:
        running = broker(box)
        line = box.stack.enter_context(VirtualPort(box.folder / "port"))
        daemon = box.daemon(mqtt(running.port) + serial(line.link))
        daemon.wait_up("broker", "bench")
        connections = running.log.count("New connection")
        kept = files(daemon)
        assert box.visit().code == 0
        assert running.log.count("New connection") == connections
        assert files(daemon) == kept
        assert daemon.source_states() == {"broker": "up", "bench": "up"}
        assert "is down" not in daemon.log


@pytest.mark.parametrize("reference", ["${BROKER_PASSWORD}", "${credential:word}"])
def test_secrets_that_only_the_running_gateway_has(reference):
    with Box() as box:
        (box.folder / "word").write_text("right\n")
        own = {"BROKER_PASSWORD": "right", "CREDENTIALS_DIRECTORY": str(box.folder)}
        running = passwords(box)
        table = mqtt(running.port, f'username = "gateway"\npassword = "{reference}"')
        daemon = box.daemon(table, env={**os.environ, **own})
        daemon.wait_up("broker")
        assert wrong(box) == []
        running.kill()
        wait_until(lambda: daemon.source_states()["broker"] == "down", "the connection is lost")
        assert [finding["name"] for finding in wrong(box)] == ["broker-not-listening"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_of_a_source_that_can_not_be_examined_the_gateway_s_word_is_told():
    with Box() as box:
        (box.folder / "word").write_text("right\n")
        table = mqtt(free_port(), 'username = "gateway"\npassword = "${credential:word}"')
        daemon = box.daemon(table, env={**os.environ, "CREDENTIALS_DIRECTORY": str(box.folder)})
        wait_until(lambda: daemon.source_states()["broker"] == "down", "the gateway has tried")
        for path, mode in ((daemon.config.parent, 0o755), (daemon.socket.parent, 0o755), (daemon.socket, 0o666)):
            path.chmod(mode)
        box.stranger = True
        assert {finding["name"] for finding in box.visit().findings} >= {"secret-unread", "source-down"}


def test_a_stopped_gateway_s_files_stay_as_they_are():
    with Box() as box:
        daemon = box.daemon()
        daemon.stop()
        kept, times = files(daemon), changed(daemon)
        assert box.visit().code == 0
        assert files(daemon) == kept
        assert changed(daemon) == times


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@pytest.mark.parametrize(("made", "found"), [("never-started-gateway", []), ("another", ["state-not-writable"])])
def test_a_folder_that_systemd_will_make_is_not_missing(made, found):
    with Box() as box:
        box.write(gateway='state_dir = "/var/lib/never-started-gateway"')
        systemd(box, User="nobody", StateDirectory=made)
        assert [finding["name"] for finding in wrong(box)] == found


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_who_may_not_ask_is_told_nothing_that_is_false():
    with Box() as box:
        daemon = box.daemon()
        daemon.config.parent.chmod(0o755)
        daemon.socket.parent.chmod(0o755)
        box.stranger = True
        visit = box.visit()
        assert [finding["name"] for finding in wrong(box)] == ["control-socket-forbidden"]
        assert json.loads(visit.out)["running"] is None
        assert json.loads(visit.out)["user"] == "root"


def test_people_read_text_and_remedy():
    with Box() as box:
        box.write(serial("/dev/ttyUSB77"))
        visit = box.visit("doctor")
        assert visit.code == 1
        first, second = visit.out.splitlines()[:2]
        assert first.startswith("error   source bench: /dev/ttyUSB77: no such port; there ")
        assert first.endswith("[port-missing]")
        assert second.startswith("        → plug it in")
        assert "1 error, 2 notes." in visit.out


def test_a_configuration_without_sense_hides_nothing_else():
    with Box() as box:
        box.config.write_text("[web]\nprot = 8080\n")
        box.env["PYTHONPATH"] = str(box.folder)
        names = {finding["name"] for finding in box.visit().findings}
        assert {"configuration", "pythonpath"} <= names


def files(daemon):
    """Return the names in the state folder, with owner and rights; sizes and times change with each reading."""
    states = {path.name: path.stat() for path in daemon.socket.parent.iterdir()}
    return {name: (state.st_uid, state.st_mode) for name, state in states.items()}


def changed(daemon):
    """Return when the state folder, and each file in it, was last changed."""
    folder = daemon.socket.parent
    return {path.name: path.stat().st_mtime_ns for path in (folder, *folder.iterdir())}


def wrong(box):
    """Return errors and warnings, but for what this machine itself may have."""
    own = {"clock-not-synchronised", "journal-larger-than-disk", "state-in-memory", "port-taker", "descriptors-few"}
    return [each for each in box.visit().findings if each["severity"] != "note" and each["name"] not in own]
