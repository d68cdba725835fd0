"""Configurations that can't be used, or make no sense."""

from tests.support.faults.box import SIMULATOR, Box
from tests.support.faults.fault import fault
from tests.support.faults.systemd import systemd
from tests.support.ports import free_port

MQTT = '[[adapters]]\nname = "broker"\ntype = "mqtt"\n'
ROUTE = f'{MQTT}[[adapters.routes]]\ntopic = "sensors/{{device}}"\n'
SERIAL = '[[adapters]]\nname = "bench"\ntype = "serial"\nurl = "/dev/ttyUSB0"\ndevice = "bench"\n'


@fault("a key is misspelt", "configuration", 'did you mean "baudrate"?', said=["adapters[0].baudrat"], program="check")
def misspelt_key(box: Box) -> None:
    """A file with it."""
    box.config.write_text(f"{SERIAL}baudrat = 9600\n")


@fault("a kind of adapter is misspelt", "configuration", 'did you mean "serial"?', said=['"seriel"'], program="check")
def misspelt_type(box: Box) -> None:
    """A file with it."""
    box.config.write_text(SERIAL.replace('"serial"', '"seriel"'))


@fault("a profile isn't there", "configuration", 'did you mean "climate"?', said=['"climat"'], program="check")
def unknown_profile(box: Box) -> None:
    """A file with it."""
    box.config.write_text(f'{ROUTE}profile = "climat"\n[profiles.climate.metrics.temperature]\nmin = -40\n')


@fault("two sources have one name", "configuration", "line 2 has the same", said=["adapters[1].name"], program="check")
def one_name_twice(box: Box) -> None:
    """A file with it."""
    box.config.write_text(SERIAL + SERIAL)


@fault("the file isn't TOML", "configuration", "text goes in quotes", said=["expected TOML"], program="check")
def no_toml(box: Box) -> None:
    """A file with `host = 0.0.0.0`."""
    box.config.write_text("[web]\nhost = 0.0.0.0\n")


@fault("the page is open to the network", "configuration", "ssh -L 8080", said=['"0.0.0.0"'], program="check")
def open_to_the_network(box: Box) -> None:
    """A file with it."""
    box.config.write_text('[web]\nhost = "0.0.0.0"\n')


@fault("a topic can't match anything", "configuration", "can only come last", said=["topic"], program="check")
def impossible_topic(box: Box) -> None:
    """A file with it."""
    box.config.write_text(ROUTE.replace("sensors", "a/#"))


@fault("the file isn't there", "configuration", "gatewayctl config sample", said=["nothing there"], program="check")
def no_file(box: Box) -> None:
    """None."""
    box.config.unlink()


@fault("a number is written as text", "configuration", "edit ", said=["expected a whole number"])
def number_as_text(box: Box) -> None:
    """A file with it; doctor looks at the rest all the same."""
    box.config.write_text(f'{SERIAL}baudrate = "abc"\n')


@fault(
    "the service's user can't read the file",
    "configuration-unreadable",
    "sudo chgrp nobody",
    said=["can't be read by nobody"],
    how="A file of root's alone, and a service of nobody's (not systemd)",
    root=True,
)
def unreadable_to_the_service(box: Box) -> None:
    box.config.chmod(0o600)
    systemd(box, User="nobody")


@fault(
    "a file in conf.d has the wrong name", "conf-d-ignored", "mv ", said=["sensors.conf isn't read"], severity="warning"
)
def wrong_name(box: Box) -> None:
    """`conf.d/sensors.conf`, beside a `README` and a file that is switched off."""
    folder = box.folder / "conf.d"
    folder.mkdir()
    for name in ("sensors.conf", "README", "old.toml.disabled"):
        (folder / name).touch()


@fault("no source is configured", "no-sources", "[[adapters]]", said=["nothing will come"], severity="warning")
def no_sources(box: Box) -> None:
    """A file without one."""
    box.write("")


@fault(
    "a route hides another", "route-hidden", "in front of it", said=['"home/{device}"', '"home/#"'], severity="warning"
)
def hidden_route(box: Box) -> None:
    """Two routes of one source."""
    routes = '[[adapters.routes]]\ntopic = "home/#"\ndevice = "all"\n[[adapters.routes]]\ntopic = "home/{device}"\n'
    box.write(f"{MQTT}port = {free_port()}\n{routes}")


@fault("two sources have one port", "claimed-twice", "enabled = false", said=["/dev/pts/", "which only one can have"])
def one_port_twice(box: Box) -> None:
    """Two names of one pseudo-terminal."""
    from tests.support.ptys import VirtualPort

    port = box.stack.enter_context(VirtualPort(box.folder / "port"))
    second = SERIAL.replace('"bench"\ntype', '"second"\ntype').replace("/dev/ttyUSB0", str(port.link.resolve()))
    box.write(SERIAL.replace("/dev/ttyUSB0", str(port.link)) + second)


@fault("two sources have one client id", "claimed-twice", "enabled = false", said=['client_id "greenhouse"'])
def one_client_id_twice(box: Box) -> None:
    """Two sources at one broker."""
    route = '[[adapters.routes]]\ntopic = "{device}/x"\n'
    table = f'{MQTT}port = {free_port()}\nclient_id = "greenhouse"\n{route}'
    box.write(table + table.replace('"broker"', '"other"'))


@fault(
    "the file can't be read by the gateway's user",
    "configuration",
    "readable for the user that runs the gateway",
    said=["permission denied"],
    root=True,
    program="check",
)
def unreadable_file(box: Box) -> None:
    """A file of root's alone, and another user who asks."""
    box.write(SIMULATOR)
    box.config.chmod(0o600)
    box.stranger = True
