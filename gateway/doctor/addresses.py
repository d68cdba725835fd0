"""The address of the page."""

import errno
import pwd
import socket
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException

from gateway.doctor.facts import Facts
from gateway.findings import Finding, error, note
from gateway.machine import listeners
from gateway.settings import WebSettings

ABOUT = "address"
_PRIVILEGED = 1024
_PATIENCE_S = 5.0


def check(facts: Facts) -> Iterator[Finding]:
    """See whether the gateway can listen, unless it does; and say who can reach it."""
    if facts.configuration is None:
        return
    web = facts.configuration.settings.web
    if facts.pid is None and not facts.is_forbidden:
        yield from _bindable(web, facts)
    elif facts.running is not None and web.port:
        yield from _answering(web)
    # Settings take no address but the loopback.
    remedy = f"from elsewhere: ssh -L {web.port}:127.0.0.1:{web.port} USER@{socket.gethostname()}, or a reverse proxy"
    text = f"the page is on {web.host}, which this machine alone can open"
    yield note("page-on-loopback", ABOUT, text, f"{remedy} (README, From a phone or a laptop)")


def _answering(web: WebSettings) -> Iterator[Finding]:
    connection = HTTPConnection(web.host, web.port, timeout=_PATIENCE_S)
    try:
        connection.request("GET", "/healthz")
        connection.getresponse().read()
    except (OSError, HTTPException) as failure:
        text = f"the gateway is running, and its page doesn't answer on {web.host} port {web.port}: {failure}"
        remedy = "sudo systemctl restart telemetry-gateway, if [web] in gateway.toml was changed since its start"
        yield error("page-silent", ABOUT, text, remedy)
    finally:
        connection.close()


def _bindable(web: WebSettings, facts: Facts) -> Iterator[Finding]:
    if web.port and web.port < _first_free_port() and facts.user.uid != 0:
        text = f"port {web.port} is for root alone, and the gateway runs as {facts.user.name}"
        remedy = "[web] port = 8080 in gateway.toml, or AmbientCapabilities=CAP_NET_BIND_SERVICE in the unit"
        yield error("port-privileged", ABOUT, text, remedy)
        return
    try:
        _bind(web.host, web.port)
    except OSError as failure:
        yield _refused(web, failure)


def _first_free_port() -> int:
    try:
        with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii") as file:  # noqa: PTH123  a number
            return int(file.read())
    except (OSError, ValueError):
        return _PRIVILEGED


def _bind(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))


def _refused(web: WebSettings, failure: OSError) -> Finding:
    where = f"{web.host} port {web.port}"
    if failure.errno == errno.EADDRINUSE:
        remedy = "stop that, or choose another [web] port in gateway.toml"
        return error("address-in-use", ABOUT, f"{where} is in use{_by_whom(web)}", remedy)
    text = f"{where} can't be listened on: {failure.strerror}"
    return error("address-impossible", ABOUT, text, "ip address shows which there are; [web] host in gateway.toml")


def _by_whom(web: WebSettings) -> str:
    processes, uid = listeners(web.host, web.port)
    if processes:
        return f" by {', '.join(map(str, processes))}"
    if uid is None:
        return ""
    try:
        return f" by a process of {pwd.getpwuid(uid).pw_name}'s (sudo gatewayctl doctor names it)"
    except KeyError:
        return f" by a process of user {uid}"
