import pytest

from gateway.web.guard import Guard

OWN = "127.0.0.1:8080"


def ask(method="POST", path="/api/v1/rejects/1/replay", origin=None, host=OWN, allowed=(), **fetch):
    """Return whether the request reaches the app."""
    reached = []
    guard = Guard(lambda environ, start: reached.append(environ) or [b""], allowed)
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "HTTP_HOST": host}
    if origin is not None:
        environ["HTTP_ORIGIN"] = origin
    environ |= {f"HTTP_SEC_FETCH_{name.upper()}": value for name, value in fetch.items()}
    answers = []
    body = guard(environ, lambda status, headers: answers.append(status))
    assert bool(reached) != (answers == ["403 Forbidden"])
    assert reached or b"origin" in body[0] or b"host" in body[0]
    return bool(reached)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "post", ""])
def test_a_page_of_another_origin_may_change_nothing(method):
    assert not ask(method, origin="http://evil.example")


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "http://127.0.0.1:9999",
        "http://localhost:8080",
        f"http://{OWN}.evil.example",
        "evil",
        "http://[",
        "//",
    ],
)
def test_what_is_nearly_the_own_origin_is_another(origin):
    assert not ask(origin=origin)


@pytest.mark.parametrize("origin", [None, f"http://{OWN}", f"https://{OWN}"])
def test_the_own_page_and_programs_may(origin):
    assert ask(origin=origin)


def test_allowed_origins_may():
    allowed = ["https://panel.example/"]
    assert ask(origin="https://panel.example", allowed=allowed)
    assert ask(origin="https://panel.example", host="panel.example", allowed=allowed)
    assert not ask(origin="https://other.example", allowed=allowed)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_is_not_asked_for_its_origin(method):
    assert ask(method, origin="http://evil.example")


def test_socket_io_asks_itself():
    assert ask(path="/socket.io/", origin="http://evil.example")
    assert not ask(path="/socket.iox", origin="http://evil.example")
    assert not ask(path="/api/socket.io/", origin="http://evil.example")


def test_another_host_is_nobody():
    assert not ask("GET", host="evil.example")


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize(
    ("path", "mode"),
    [
        ("/socket.io/", "no-cors"),
        ("/socket.io/", "navigate"),
        ("/socket.io/", "websocket"),
        ("/api/v1/devices/a/readings", "no-cors"),
        ("/api/v1/devices/a/readings", "navigate"),
        ("/", "cors"),
        ("/static/js/api.js", "no-cors"),
    ],
)
def test_a_page_of_another_site_may_not_even_look(site, path, mode):
    assert not ask("GET", path, site=site, mode=mode)
    assert not ask("GET", path, site=site, mode=mode, origin="http://evil.example", allowed=["https://panel.example"])
    assert ask("GET", path, site=site, mode=mode, origin="https://panel.example", allowed=["https://panel.example"])


@pytest.mark.parametrize("path", ["/", "/devices/kitchen", "/rejects"])
def test_a_link_on_another_site_may_lead_here(path):
    assert ask("GET", path, site="cross-site", mode="navigate")
    assert not ask("POST", path, site="cross-site", mode="navigate", origin="http://evil.example")


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_the_own_page_and_the_address_bar_may(site):
    for path, mode in (("/socket.io/", "cors"), ("/socket.io/", "websocket"), ("/api/v1/status", "navigate")):
        assert ask("GET", path, site=site, mode=mode)
