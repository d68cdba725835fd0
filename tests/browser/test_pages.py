"""The page in a real browser, on the real daemon and a real broker."""

import json
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from paho.mqtt import client as paho
from playwright.sync_api import Browser, Page, Route, expect

from tests.support.browser import PHONE, Visit
from tests.support.daemon import Daemon, mqtt, serial
from tests.support.mosquitto import Mosquitto
from tests.support.ports import wait_until
from tests.support.ptys import VirtualPort

Begin = Callable[..., Visit]
SOME_TIME_AGO = re.compile("[2-9] s ago")

HOSTILE = [
    "<script>alert(1)<script>",
    '"><img src=x onerror=alert(1)>',
    'it\'s "quoted" & 100 % `odd`',
    "Living Room (küche) 🌡️",
    "a?b=c&d;e\\f",
]


def climate(temperature: float, **more: object) -> str:
    return json.dumps({"temperature": temperature, **more})


def publish_series(broker: Mosquitto, device: str, temperatures: Iterator[float] | range) -> None:
    broker.publish_all([(f"sensors/{device}", climate(one)) for one in temperatures])


@contextmanager
def sensors(broker: Mosquitto, *devices: str) -> Iterator[None]:
    """Publish a new value for each device, several times a second."""
    stop = threading.Event()

    def run() -> None:
        number = 0
        while not stop.wait(0.2):
            number += 1
            broker.publish_all([(f"sensors/{device}", climate(20 + number / 10)) for device in devices], qos=0)

    thread = threading.Thread(target=run)
    thread.start()
    yield
    stop.set()
    thread.join(10.0)


def delay_ms(page: Page, selector: str, text: str, act: Callable[[], None]) -> float:
    """Return the time from ``act`` to the frame in which ``text`` is shown."""
    page.evaluate(
        """([selector, text]) => { window.shown = new Promise((resolve) => {
             const target = document.querySelector(selector);
             const look = () => target.textContent.includes(text) && resolve(Date.now());
             new MutationObserver(look).observe(target, {childList: true, characterData: true, subtree: true});
           }); }""",
        [selector, text],
    )
    before = time.time()
    act()
    return page.evaluate("Promise.race([window.shown, new Promise((_, no) => setTimeout(no, 20000))])") - before * 1000


def test_overview_fills_itself_and_values_move(browser: Browser, broker: Mosquitto, tmp_path: Path) -> None:
    with sensors(broker, "climate", "meter", "cellar"):
        started = time.monotonic()
        with Daemon(tmp_path / "gateway", mqtt(broker.port)) as daemon:
            visit = Visit(browser, daemon.url)
            page = visit.open()
            expect(page.locator(".card h2")).to_have_text(["cellar", "climate", "meter"], timeout=20_000)
            print(f"all devices on the overview {time.monotonic() - started:.2f} s after the daemon's start")
            expect(page.locator("#connection")).to_have_text("Live")
            expect(page.locator(".card .badge").first).to_have_text("Online")
            value = page.locator('[data-id="climate"] .value')
            shown = value.inner_text()
            expect(value).not_to_have_text(shown, timeout=10_000)
            visit.close()


@pytest.mark.parametrize(("path", "selector"), [("/", '[data-id="kitchen"]'), ("/devices/kitchen", "#tiles")])
def test_a_message_appears_on_the_open_page(broker: Mosquitto, visit: Begin, path: str, selector: str) -> None:
    broker.publish("sensors/kitchen", climate(19.5))
    page = visit().open(path)
    expect(page.locator(f"{selector} .value")).to_have_text("19.5")
    expect(page.locator("body")).to_contain_text(SOME_TIME_AGO)  # the overview shows a device once a second
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    took = delay_ms(page, selector, "21.5", lambda: client.publish("sensors/kitchen", climate(21.5)))
    client.disconnect()
    client.loop_stop()
    print(f"from publish to {path}: {took:.1f} ms")
    assert took < 5000


@pytest.mark.parametrize(("path", "selector"), [("/", '[data-id="bench-sensor"]'), ("/devices/bench-sensor", "#tiles")])
def test_a_line_on_a_serial_port_appears_on_the_open_page(
    browser: Browser, tmp_path: Path, path: str, selector: str
) -> None:
    with VirtualPort(tmp_path / "port") as port, Daemon(tmp_path / "gateway", serial(port.link)) as daemon:
        daemon.wait_up("bench")
        port.write(b"19.5,48\n")
        visit = Visit(browser, daemon.url)
        page = visit.open(path)
        expect(page.locator(f"{selector} .value")).to_have_text(["19.5", "48"])
        expect(page.locator("body")).to_contain_text(SOME_TIME_AGO)  # the overview shows a device once a second
        took = delay_ms(page, selector, "21.5", lambda: port.write(b"21.5,48\n"))
        print(f"from the serial port to {path}: {took:.1f} ms")
        assert took < 5000
        visit.close()


def test_a_card_has_the_newest_value_of_each_metric(broker: Mosquitto, visit: Begin) -> None:
    broker.publish_all(
        [("sensors/kitchen", one) for one in ('{"temperature": 21.5}', '{"humidity": 40.5}', '{"co2": 600}')]
    )
    page = visit().open()
    expect(page.locator(".card .value")).to_have_text(["21.5", "40.5", "600"])
    broker.publish("sensors/kitchen", '{"humidity": 41.5}')
    expect(page.locator(".card .value")).to_have_text(["21.5", "41.5", "600"])


def test_a_new_device_appears_on_the_open_overview(broker: Mosquitto, visit: Begin) -> None:
    page = visit().open()
    expect(page.locator("#empty")).to_contain_text("Waiting for the first reading")
    broker.publish("sensors/kitchen", climate(21.5))
    expect(page.locator(".card h2")).to_have_text(["kitchen"])
    expect(page.locator("#empty")).to_be_hidden()


def test_without_a_source_the_overview_says_what_to_do_until_there_is_one(
    browser: Browser, broker: Mosquitto, tmp_path: Path
) -> None:
    with Daemon(tmp_path / "gateway", "") as daemon:
        viewer = Visit(browser, daemon.url)
        page = viewer.open()
        expect(page.locator("#no-source")).to_contain_text("No source is configured yet")
        expect(page.locator("#no-source")).to_contain_text(str(daemon.config))
        expect(page.locator("#empty")).to_be_hidden()
        example = page.locator("#no-source pre").first.inner_text()
        daemon.configure(example.replace('"127.0.0.1"', f'"127.0.0.1"\nport = {broker.port}'))
        daemon.reload()
        expect(page.locator("#empty")).to_contain_text("Waiting for the first reading", timeout=10_000)
        expect(page.locator("#no-source")).to_be_hidden()
        broker.publish("sensors/kitchen", climate(21.5))
        expect(page.locator(".card h2")).to_have_text(["kitchen"])
        expect(page.locator("#empty")).to_be_hidden()
        viewer.close()


def test_overview_has_its_history_and_a_filter(broker: Mosquitto, visit: Begin) -> None:
    names = [f"room-{number}" for number in range(1, 12)]
    for name in names:
        publish_series(broker, name, range(20, 25))
    viewer = visit()
    page = viewer.open()
    expect(page.locator(".card h2")).to_have_text(names)  # by number: room-2 before room-10
    viewer.wait_inked('[data-id="room-1"] canvas')
    page.get_by_label("Filter devices").fill("room-1")
    expect(page.locator(".card:visible h2")).to_have_text(["room-1", "room-10", "room-11"])
    page.get_by_label("Filter devices").fill("nowhere")
    expect(page.locator("#no-match")).to_be_visible()


def test_a_device_has_its_history_at_once(broker: Mosquitto, daemon: Daemon, visit: Begin) -> None:
    publish_series(broker, "kitchen", range(1, 801))
    viewer = visit()
    page = viewer.open_device("kitchen")
    viewer.wait_for_data("points", 800)
    assert viewer.data() == {
        "device": "kitchen",
        "firstSeq": "1",
        "lastSeq": "800",
        "points": "800",
        "unexplained": "0",
        "held": "false",
    }
    viewer.wait_inked(".uplot canvas")
    expect(page.locator("#tiles .value")).to_have_text("800")
    expect(page.locator("#rows tr")).to_have_count(20)
    expect(page.locator("#rows tr").first).to_have_attribute("data-seq", "800")


def test_history_that_is_asked_for_does_not_overtake_what_comes_live(broker: Mosquitto, visit: Begin) -> None:
    now = time.time()
    messages = [climate(20 + one / 100, ts=now - 2 * (400 - one)) for one in range(400)]  # more than the shown 5 min
    broker.publish_all([("sensors/kitchen", one) for one in messages])
    for _ in range(3):
        viewer = visit()
        viewer.open_device("kitchen")
        viewer.wait_for_data("lastSeq", 400)
        viewer.wait_for_data("points", 400)
        assert viewer.data()["unexplained"] == "0"


def test_a_wall_display_asks_for_few_packets_and_has_no_hole(broker: Mosquitto, visit: Begin) -> None:
    publish_series(broker, "kitchen", [1])
    viewer = visit()
    viewer.open("/devices/kitchen?max_hz=1")
    viewer.wait_for_data("lastSeq", 1)
    publish_series(broker, "kitchen", range(2, 401))
    viewer.wait_for_data("lastSeq", 400)
    data = viewer.data()
    assert data["unexplained"] == "0"
    assert int(data["points"]) < 100


def test_words_and_booleans_have_a_timeline(broker: Mosquitto, visit: Begin) -> None:
    broker.publish("sensors/door", '{"open": true, "mode": "idle"}')
    broker.publish("sensors/door", '{"open": false, "mode": "heating"}')
    viewer = visit()
    page = viewer.open_device("door")
    expect(page.locator("#tiles .value")).to_have_text(["no", "heating"])
    expect(page.locator("#strips .readout")).to_have_text(["no", "heating"])
    viewer.wait_inked(".strip canvas")


def test_a_reconnect_keeps_every_reading(broker: Mosquitto, daemon: Daemon, visit: Begin) -> None:
    publish_series(broker, "kitchen", range(1, 21))
    viewer = visit()
    page = viewer.open_device("kitchen")
    viewer.wait_for_data("lastSeq", 20)
    daemon.stop()
    expect(page.locator("#connection")).to_have_text("Reconnecting")
    publish_series(broker, "kitchen", range(21, 51))  # the broker keeps them for the gateway's session
    daemon.start()
    daemon.wait_up("broker")
    publish_series(broker, "kitchen", range(51, 61))
    viewer.wait_for_data("lastSeq", 60)
    expect(page.locator("#connection")).to_have_text("Live")
    data = viewer.data()
    assert (data["firstSeq"], data["points"], data["unexplained"]) == ("1", "60", "0")


COLOUR = "it => getComputedStyle(it).color"


@pytest.mark.parametrize(
    "shown",
    [
        ("/", ".card .badge", "Online", "#summary"),
        ("/devices/kitchen", "#state", "Online", "#about"),
        ("/status", "#health", "Healthy", "#about"),
    ],
)
def test_while_the_gateway_is_away_the_page_says_how_it_was_and_claims_nothing(
    broker: Mosquitto, daemon: Daemon, visit: Begin, shown: tuple[str, str, str, str]
) -> None:
    path, badge, state, about = shown
    broker.publish("sensors/kitchen", climate(21.5))
    page = visit().open(path)
    expect(page.locator(badge)).to_have_text(state)
    value = page.locator(".value").first
    colours = [it.evaluate(COLOUR) for it in (value, page.locator(badge))]
    daemon.stop()
    expect(page.locator(badge)).to_have_text(f"Was {state.lower()}", timeout=10_000)
    expect(page.locator(about)).to_contain_text("no connection to the gateway since ")
    grey = [it.evaluate(COLOUR) for it in (value, page.locator(badge))]
    assert [before != after for before, after in zip(colours, grey, strict=True)] == [True, True]
    assert len(set(grey)) == 1
    daemon.start()
    expect(page.locator(badge)).to_have_text(state, timeout=20_000)
    expect(page.locator(about)).not_to_contain_text("no connection")
    assert value.evaluate(COLOUR) == colours[0]


def test_a_replaced_journal_is_said(broker: Mosquitto, daemon: Daemon, visit: Begin) -> None:
    publish_series(broker, "kitchen", range(1, 21))
    viewer = visit()
    page = viewer.open_device("kitchen")
    viewer.wait_for_data("lastSeq", 20)
    daemon.stop()
    for file in daemon.socket.parent.glob("journal.db*"):
        file.unlink()
    daemon.start()
    expect(page.locator("#notices")).to_contain_text("journal was replaced", timeout=20_000)
    daemon.wait_up("broker")
    publish_series(broker, "kitchen", range(1, 4))
    viewer.wait_for_data("lastSeq", 3)
    assert viewer.data()["points"] == "3"


def test_names_and_values_are_shown_as_text(broker: Mosquitto, daemon: Daemon, visit: Begin) -> None:
    markup = "<img src=x onerror=alert(2)>"
    for name in HOSTILE:
        broker.publish(f"sensors/{name}", json.dumps({markup: 1.5, "word": markup}))
    viewer = visit()
    page = viewer.open()
    expect(page.locator(".card")).to_have_count(len(HOSTILE))
    assert sorted(page.locator(".card h2").all_inner_texts()) == sorted(HOSTILE)
    for name in HOSTILE:
        viewer.open()
        page.locator(".card a").filter(has_text=name).click()
        expect(page.locator("h1")).to_have_text(name)
        expect(page.locator("#tiles .label")).to_have_text([markup, "Word"])
        expect(page.locator("#tiles .value")).to_have_text(["1.5", markup])
    assert page.locator("main img").count() == 0


def test_a_device_that_was_never_heard_of_can_be_waited_for(broker: Mosquitto, visit: Begin) -> None:
    page = visit().open_device("attic")
    expect(page.locator("#empty")).to_contain_text("No reading yet")
    broker.publish("sensors/attic", climate(12.5))
    expect(page.locator("#tiles .value")).to_have_text("12.5")
    expect(page.locator("#state")).to_have_text("Online")


def test_watchers_are_counted(broker: Mosquitto, visit: Begin) -> None:
    broker.publish("sensors/kitchen", climate(21.5))
    page = visit().open_device("kitchen")
    other = visit()
    other.open_device("kitchen")
    expect(page.locator("#watchers")).to_have_text("2 watching")
    other.open("/status")
    expect(page.locator("#watchers")).to_have_text("")


def test_status_says_what_became_of_every_message(broker: Mosquitto, visit: Begin) -> None:
    publish_series(broker, "kitchen", range(1, 4))
    broker.publish("sensors/kitchen", "not JSON")
    page = visit().open("/status")
    expect(page.locator("#equation")).to_contain_text("4received = 3stored + 1rejected", timeout=10_000)
    expect(page.locator("#sources tr td").first).to_have_text("broker")
    expect(page.locator("#sources .badge")).to_have_text("Up")


def test_status_without_a_source_shows_nothing_empty_and_no_figure_that_was_never_measured(
    browser: Browser, tmp_path: Path
) -> None:
    with Daemon(tmp_path / "gateway", "") as daemon:
        viewer = Visit(browser, daemon.url)
        page = viewer.open("/status")
        expect(page.locator("#problems")).to_contain_text("No source is configured")
        expect(page.get_by_role("region", name="Sources")).to_be_hidden()
        expect(page.get_by_role("region", name="Ledger")).to_be_visible()
        expect(page.locator("#facts .tile", has_text="Live lag").locator(".value")).to_have_text(["\N{EN DASH}"] * 2)
        viewer.close()


def test_charts_that_end_on_another_day_say_on_which(broker: Mosquitto, visit: Begin) -> None:
    broker.publish("sensors/fridge", '{"ts": "2030-06-15T12:00:00Z", "temperature": 4}')
    page = visit().open_device("fridge")
    expect(page.locator("#progress")).to_contain_text("the charts end at 2030-06-15 ")


def test_a_source_with_a_wrong_clock_or_in_trouble_says_so(visit: Begin) -> None:
    viewer = visit()

    def with_trouble(route: Route) -> None:
        status = route.fetch().json()
        status["sources"][0] |= {"state": "stalled", "reason": "silent for 30 s: subscribed again", "skew_s": -3700.0}
        route.fulfill(json=status)

    viewer.page.route("**/api/v1/status*", with_trouble)
    row = viewer.open("/status").locator('[data-source="broker"]')
    expect(row.locator(".badge")).to_have_text("Stalled")
    expect(row.locator("[data-head=Reason]")).to_have_text("silent for 30 s: subscribed again")
    expect(row.locator("[data-head=Clock]")).to_have_text("1 h ahead")


def test_a_name_that_no_address_can_have_is_shown_without_a_link(broker: Mosquitto, visit: Begin) -> None:
    for name in ("..", ".", "..."):
        broker.publish(f"sensors/{name}", climate(21.5))
    page = visit().open()
    expect(page.locator(".card h2")).to_have_text([".", "..", "..."])
    expect(page.locator(".card a")).to_have_text(["..."])
    page.locator(".card a").click()
    expect(page.locator("#tiles .value")).to_have_text("21.5")


METER = """profile = "meter"
[profiles.meter.metrics]
energy = { type = "float", unit = "kWh" }
voltage = { type = "float", unit = "V" }
"""


def test_a_long_number_stays_on_one_line_with_its_unit(browser: Browser, broker: Mosquitto, tmp_path: Path) -> None:
    with Daemon(tmp_path / "gateway", mqtt(broker.port) + METER) as daemon:
        daemon.wait_up("broker")
        broker.publish("sensors/meter", '{"energy": 123456789012.5, "voltage": -0.00001234}')
        viewer = Visit(browser, daemon.url, size=PHONE)
        for path, selector in (("/devices/meter", "#tiles .value"), ("/", ".card .value")):
            values = viewer.open(path).locator(selector)
            expect(values).to_have_text(["123,456,789,012.5kWh", "-1.23e-5V"])
            lines = "boxes => boxes.map((box) => box.clientHeight < 40 && box.scrollWidth <= box.clientWidth)"
            assert values.evaluate_all(lines) == [True, True], path
        viewer.close()


def test_the_theme_is_remembered(visit: Begin) -> None:
    page = visit().open()
    html = page.locator("html")
    expect(html).to_have_attribute("data-theme", "light")
    page.locator("#theme").click()
    page.locator("#theme").click()
    expect(html).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(html).to_have_attribute("data-theme", "dark")
    expect(page.locator("#theme")).to_contain_text("Dark")


@pytest.mark.parametrize("path", ["/", "/devices/kitchen", "/status"])
def test_a_phone_scrolls_in_one_direction_only(broker: Mosquitto, visit: Begin, path: str) -> None:
    name = "a-name-of-a-device-that-is-long-and-has-no-place-to-break" * 2
    broker.publish(f"sensors/{name}", climate(21.5))
    broker.publish("sensors/kitchen", json.dumps({f"metric_{n}": n * 1000.5 for n in range(12)}))
    page = visit(size=PHONE, theme="dark").open(path)
    expect(page.locator("#connection")).to_have_text("Live")
    page.locator("#rows tr, .card, #sources tr").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]


def test_what_has_expired_meanwhile_is_a_labelled_gap(browser: Browser, broker: Mosquitto, tmp_path: Path) -> None:
    with Daemon(tmp_path / "gateway", f'[journal]\nmax_size = "1MiB"\n{mqtt(broker.port)}') as daemon:
        daemon.wait_up("broker")
        publish_series(broker, "kitchen", range(1, 21))
        viewer = Visit(browser, daemon.url)
        page = viewer.open_device("kitchen")
        viewer.wait_for_data("lastSeq", 20)
        page.context.set_offline(True)
        expect(page.locator("#connection")).to_have_text("Offline", timeout=60_000)
        chance = random.Random(1)  # what repeats would be packed so small that all of it stays
        broker.publish_all([("sensors/kitchen", climate(n, text=chance.randbytes(100).hex())) for n in range(20_000)])
        wait_until(lambda: daemon.readings("kitchen")[0]["seq"] > 20, "the oldest readings are gone", timeout_s=60.0)
        page.context.set_offline(False)
        viewer.wait_for_data("lastSeq", 20_020)
        expect(page.locator("#notices")).to_contain_text("not available: expired")
        assert viewer.data()["unexplained"] == "0"
        viewer.close()
