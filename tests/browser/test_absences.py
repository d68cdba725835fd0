"""The page of a device says why its charts have a hole: the gateway was not running, or the source was away."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import PHONE, Visit
from tests.support.clocks import Clock
from tests.support.daemon import Daemon, mqtt
from tests.support.mosquitto import Mosquitto
from tests.support.ports import wait_until

TIMES = r"\d\d:\d\d:\d\d to \d\d:\d\d:\d\d"
NOT_RUNNING = re.compile(rf"^The gateway was not running, (\S+ )?{TIMES}")
SINCE = re.compile(r"^Source broker has been away since ")
AWAY = re.compile(rf"^Source broker was away, (\S+ )?{TIMES}")

# How many pixels of the chart's middle row have the colour of the hatching, or nearly so.
HATCHED = """([selector, token]) => {
  const canvas = document.querySelector(selector);
  if (!canvas?.width) return 0;
  const pen = canvas.getContext("2d");
  const draft = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  draft.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(token);
  draft.fillRect(0, 0, 1, 1);
  const wanted = draft.getImageData(0, 0, 1, 1).data;
  const row = pen.getImageData(0, Math.round(canvas.height * 0.4), canvas.width, 1).data;
  let found = 0;
  for (let x = 0; x < row.length; x += 4) {
    found += [0, 1, 2, 3].every((part) => Math.abs(row[x + part] - wanted[part]) <= 3) ? 1 : 0;
  }
  return found;
}"""
POINTED_AT = "document.querySelector('.chart .readout').textContent"


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path / "offset")


@pytest.fixture
def daemon(broker: Mosquitto, tmp_path: Path, clock: Clock) -> Iterator[Daemon]:
    with Daemon(tmp_path / "gateway", mqtt(broker.port), command=clock.command) as one:
        one.wait_up("broker")
        yield one


def say(broker: Mosquitto, *temperatures: float) -> None:
    broker.publish_all([("sensors/kitchen", json.dumps({"temperature": one, "mode": "idle"})) for one in temperatures])


def point_at_absence(page: Page) -> str:
    """Move the mouse over the first chart until it says that the gateway wasn't running; return from when to when."""
    box = page.locator(".uplot .u-over").first.bounding_box()
    assert box is not None
    for step in range(1, 60):
        page.mouse.move(box["x"] + box["width"] * step / 60, box["y"] + box["height"] / 2)
        said: str = page.evaluate(POINTED_AT)
        if said.startswith("Gateway not running, "):
            return said.removeprefix("Gateway not running, ")
    raise AssertionError("no place in the chart says that the gateway was not running")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_after_a_crash_the_chart_says_that_the_gateway_was_not_running(
    browser: Browser, broker: Mosquitto, daemon: Daemon, clock: Clock, theme: str
) -> None:
    say(broker, 20, 21, 22)
    visit = Visit(browser, daemon.url, theme=theme)
    page = visit.open_device("kitchen")
    visit.wait_for_data("lastSeq", 3)
    expect(page.locator("#absences li")).to_have_count(0)
    assert page.evaluate(HATCHED, [".uplot canvas", "--away"]) == 0
    daemon.kill()
    say(broker, 23)  # the broker keeps it
    clock.set_off_by(120.0)  # as if that took two minutes
    daemon.start()
    daemon.wait_up("broker")
    visit.wait_for_data("lastSeq", 4)
    say(broker, 24)
    visit.wait_for_data("lastSeq", 5)
    expect(page.locator("#absences li").first).to_have_text(NOT_RUNNING)
    expect(page.locator("#absences li").last).to_contain_text("What senders kept meanwhile")
    for chart in (".uplot canvas", ".strip canvas"):
        wait_until(lambda chart=chart: page.evaluate(HATCHED, [chart, "--away"]) > 50, f"a band on {chart}")
    assert page.locator("#absences li").first.inner_text().endswith(f", {point_at_absence(page)}.")
    assert visit.data()["unexplained"] == "0"
    visit.close()


def test_a_source_that_is_away_is_said_while_it_lasts_and_afterwards(
    browser: Browser, broker: Mosquitto, daemon: Daemon
) -> None:
    say(broker, 20)
    visit = Visit(browser, daemon.url, size=PHONE)
    page = visit.open_device("kitchen")
    visit.wait_for_data("lastSeq", 1)
    broker.stop()
    expect(page.locator("#absences li")).to_have_text([SINCE])
    broker.start()
    expect(page.locator("#absences li").first).to_have_text(AWAY)
    assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    visit.page.reload()
    expect(page.locator("#absences li").first).to_have_text(AWAY)
    visit.close()


def test_a_line_that_breaks_where_nobody_was_away_is_explained_too(
    browser: Browser, broker: Mosquitto, daemon: Daemon
) -> None:
    began = time.time() - 200
    steady = [{"temperature": 20, "ts": began + second} for second in range(5)]
    broker.publish_all([("sensors/kitchen", json.dumps(one)) for one in steady])
    visit = Visit(browser, daemon.url)
    page = visit.open_device("kitchen")
    visit.wait_for_data("lastSeq", 5)
    page.wait_for_selector(".uplot canvas")
    expect(page.locator("#absences li")).to_have_count(0)
    broker.publish_all([("sensors/kitchen", json.dumps({"temperature": 20, "ts": began + 100}))])
    expect(page.locator("#absences li")).to_have_text([re.compile("the device sent no value")])
    visit.close()
