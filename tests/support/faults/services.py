"""The service and the running gateway; systemd answers as a script of the test does."""

import signal
import sys
import time
from pathlib import Path

from gateway.doctor import unit
from gateway.doctor.service import text_of
from tests.support.faults.box import SIMULATOR, Box
from tests.support.faults.brokers import mqtt
from tests.support.faults.fault import fault
from tests.support.faults.standin import answering, source
from tests.support.faults.systemd import NOT_REAL, systemd
from tests.support.ports import free_port


@fault("the service gave up: configuration", "service-failed", "gatewayctl check", said=["can't be used"], how=NOT_REAL)
def refused_to_start(box: Box) -> None:
    systemd(box, ActiveState="failed", Result="exit-code", ExecMainStatus="78")


@fault("the service gave up", "service-failed", "journalctl -u telemetry-gateway", said=["has failed"], how=NOT_REAL)
def failed(box: Box) -> None:
    systemd(box, ActiveState="failed", Result="watchdog", ExecMainStatus="6")


@fault(
    "the service ends again and again", "service-restarting", "journalctl -u", said=["17 times so far"], how=NOT_REAL
)
def restarting(box: Box) -> None:
    properties = {"SubState": "auto-restart", "NRestarts": "17", "Result": "exit-code", "ExecMainStatus": "1"}
    systemd(box, ActiveState="activating", **properties)


@fault(
    "the service is starting", "service-starting", "journalctl -fu", said=["starting"], severity="note", how=NOT_REAL
)
def starting(box: Box) -> None:
    systemd(box, ActiveState="activating", SubState="start")


@fault("the service is stopped", "service-stopped", "sudo systemctl start", said=["isn't running now"], how=NOT_REAL)
def stopped(box: Box) -> None:
    systemd(box, ActiveState="inactive")


@fault(
    "the service won't start at boot",
    "service-not-enabled",
    "sudo systemctl enable",
    said=["next boot"],
    severity="warning",
    how=NOT_REAL,
)
def not_enabled(box: Box) -> None:
    systemd(box, UnitFileState="disabled")
    answering(box)


@fault(
    "systemd goes by an earlier file",
    "service-needs-reload",
    "sudo systemctl daemon-reload",
    said=["was changed"],
    severity="warning",
    how=NOT_REAL,
)
def needs_reload(box: Box) -> None:
    systemd(box, NeedDaemonReload="yes")


@fault(
    "an old service file hides the packaged one",
    "service-file-old",
    "sudo rm ",
    said=["hides the packaged"],
    severity="warning",
    how="Not systemd: two files, and the check called with their folders",
)
def old_file(box: Box) -> object:
    mine, packaged = box.folder / "etc", box.folder / "lib"
    for folder, text in ((mine, "Type=exec"), (packaged, "Type=notify")):
        folder.mkdir()
        (folder / unit.NAME).write_text(f"[Service]\n{text}\n")
    return list(text_of(unit.Unit({"FragmentPath": str(mine / unit.NAME)}), own=mine, packaged=(packaged,)))


@fault(
    "systemd hasn't seen a new file yet",
    "service-needs-reload",
    "sudo systemctl daemon-reload",
    said=["goes by the earlier one"],
    severity="warning",
    how="Not systemd: a file beside which systemd still has the packaged one",
)
def unseen_file(box: Box) -> object:
    own = box.folder / "etc"
    (own / "systemd" / "system").mkdir(parents=True)
    (own / "systemd" / "system" / unit.NAME).touch()
    return list(text_of(unit.Unit({"FragmentPath": f"/lib/systemd/system/{unit.NAME}"}), own=own, packaged=()))


@fault(
    "a service file is of an earlier version",
    "service-file-old",
    "sudo systemctl daemon-reload",
    said=["no Type=notify and no ExecReload"],
    severity="warning",
    how=NOT_REAL,
)
def earlier_file(box: Box) -> None:
    file = "/etc/systemd/system/telemetry-gateway.service"
    systemd(box, FragmentPath=file, Type="exec", ExecReload="")


@fault(
    "a file is where the service can't look",
    "service-cannot-see",
    "move it below /etc/telemetry-gateway",
    said=["/home/pi/ca.crt is below /home"],
    how=NOT_REAL,
)
def below_home(box: Box) -> None:
    box.write(mqtt(free_port(), 'tls = true\nca_file = "/home/pi/ca.crt"'))
    systemd(box, ProtectHome="yes")


@fault(
    "the state folder is where the service can't write",
    "service-cannot-write",
    'state_dir = "/var/lib/telemetry-gateway"',
    said=["StateDirectory alone"],
    how=NOT_REAL,
)
def state_elsewhere(box: Box) -> None:
    systemd(box, ProtectSystem="strict", StateDirectory="telemetry-gateway")


@fault(
    "the service's program isn't there", "service-program-missing", "systemctl edit", said=["/opt/gone"], how=NOT_REAL
)
def no_program(box: Box) -> None:
    systemd(box, ExecStart="{ path=/opt/gone/gatewayd ; argv[]=/opt/gone/gatewayd ; ignore_errors=no ; }")


@fault(
    "the service is of another installation",
    "service-other-installation",
    "gatewayctl",
    said=["this gatewayctl is of"],
    severity="warning",
    how=NOT_REAL,
)
def other_installation(box: Box) -> None:
    systemd(box, ExecStart="{ path=/bin/true ; argv[]=/usr/../bin/true ; ignore_errors=no ; }")


@fault(
    "the service reads another file",
    "service-other-configuration",
    "--config /etc/elsewhere.toml doctor",
    said=["it reads /etc/elsewhere.toml"],
    severity="warning",
    how=NOT_REAL,
)
def other_configuration(box: Box) -> None:
    gatewayd = Path(sys.executable).with_name("gatewayd")
    systemd(box, ExecStart=f"{{ path={gatewayd} ; argv[]={gatewayd} --config /etc/elsewhere.toml ; }}")


@fault(
    "an older version is still running",
    "version-old",
    "sudo systemctl restart",
    said=["0.0.1 is running"],
    severity="warning",
)
def old_version(box: Box) -> None:
    """A server on the control socket that answers as an older gateway."""
    answering(box, running="0.0.1")


@fault(
    "the running gateway doesn't know a source",
    "source-unknown",
    "gatewayctl reload",
    said=["earlier configuration"],
    severity="warning",
)
def unknownsource(box: Box) -> None:
    """A running gateway, and a source that was added since."""
    daemon = box.daemon()
    with daemon.config.open("a") as file:
        file.write(SIMULATOR.replace("pretend", "added"))


@fault("the gateway hangs", "gateway-silent", "sudo systemctl restart", said=["is there and doesn't answer"])
def hanging(box: Box) -> None:
    """A running gateway, and `kill -STOP`."""
    daemon = box.daemon()
    assert daemon.process is not None
    box.stack.callback(daemon.process.send_signal, signal.SIGCONT)
    daemon.process.send_signal(signal.SIGSTOP)


@fault("a source is stalled", "source-stalled", "gatewayctl tail", said=["is stalled: silent for 9 min"])
def stalled(box: Box) -> None:
    """A server on the control socket that says so."""
    answering(box, [source("pretend", "stalled", "silent for 9 min")])


@fault(
    "another client has the gateway's client id",
    "client-id-taken",
    "client_id of its own",
    said=["another client connected"],
)
def client_id_taken(box: Box) -> None:
    """A server on the control socket that says so."""
    answering(box, [source("pretend", "down", 'another client connected with our client id "greenhouse"')])


@fault("an adapter has a defect", "source-failed", "report it", said=["is failed: KeyError"])
def defect(box: Box) -> None:
    """A server on the control socket that says so."""
    answering(box, [source("pretend", "failed", "KeyError: 'x'")])


@fault("the page doesn't answer", "page-silent", "sudo systemctl restart", said=["its page doesn't answer"])
def other_port(box: Box) -> None:
    """A running gateway, and another port in its file since."""
    daemon = box.daemon()
    daemon.config.write_text(daemon.config.read_text().replace(str(daemon.port), str(free_port())))


@fault(
    "nothing ever came from a source",
    "source-nothing-came",
    "mosquitto_sub -v",
    said=["nothing has ever come", "for 60 min"],
    severity="warning",
)
def nothing_came(box: Box) -> None:
    """A server on the control socket that says so."""
    answering(box, [source("pretend", "up", since=time.time() - 3600)])
