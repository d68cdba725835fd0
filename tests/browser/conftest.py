from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import Visit, chromium
from tests.support.daemon import Daemon, mqtt
from tests.support.mosquitto import Mosquitto


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=20_000)  # a slow machine takes longer than 5 s to open a page
    with chromium() as one:
        yield one


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "mosquitto") as one:
        yield one


@pytest.fixture
def daemon(broker: Mosquitto, tmp_path: Path) -> Iterator[Daemon]:
    with Daemon(tmp_path / "gateway", mqtt(broker.port)) as one:
        one.wait_up("broker")
        yield one


@pytest.fixture
def visit(browser: Browser, daemon: Daemon) -> Iterator[Callable[..., Visit]]:
    visits: list[Visit] = []

    def begin(**options: object) -> Visit:
        visits.append(Visit(browser, daemon.url, **options))
        return visits[-1]

    yield begin
    for one in visits:
        one.close()
