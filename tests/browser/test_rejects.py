"""The page of rejects in a real browser: what was refused and why, live; and replaying it."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.support.browser import PHONE, Visit
from tests.support.daemon import Daemon, mqtt
from tests.support.mosquitto import Mosquitto
from tests.support.ports import wait_until

Begin = Callable[..., Visit]

MARKUP = "<img src=x onerror=alert(1)>"
CLIMATE = """profile = "climate"
[profiles.climate.metrics]
temperature = { type = "float", max = 85 }
"""


def facts(page: Page, name: str) -> list[str]:
    return page.locator(f'.reject [data-fact="{name}"] dd').all_inner_texts()


def test_all_is_understood_until_it_is_not(broker: Mosquitto, visit: Begin) -> None:
    page = visit().open("/rejects")
    expect(page.locator("#empty-title")).to_have_text("No message has come yet.")
    broker.publish("sensors/kitchen", '{"temperature": 21.5}')
    expect(page.locator("#empty-title")).to_have_text("Every message that came was understood.")
    expect(page.locator("#reject-count")).to_be_hidden()
    published = time.monotonic()
    broker.publish("sensors/kitchen", "not JSON")
    expect(page.locator(".reject")).to_have_count(1, timeout=10_000)
    print(f"on the open page {time.monotonic() - published:.2f} s after it was published")
    expect(page.locator(".reject .payload")).to_have_text("not JSON")
    expect(page.locator(".reject h2")).to_contain_text("JSON")
    assert (facts(page, "source"), facts(page, "topic")) == (["broker"], ["sensors/kitchen"])
    expect(page.locator("#empty")).to_be_hidden()
    expect(page.locator("#reject-count")).to_have_text("1")


def test_the_newest_comes_first_and_what_repeats_is_counted(broker: Mosquitto, daemon: Daemon, visit: Begin) -> None:
    broker.publish_all([("sensors/a", "first"), ("sensors/b", "second")])
    wait_until(lambda: daemon.ledger()["rejected"] == 2, "both came, before the first comes again")
    broker.publish("sensors/a", "first")
    page = visit().open("/rejects")
    expect(page.locator(".reject .payload")).to_have_text(["first", "second"])
    expect(page.locator(".reject").first).to_have_attribute("data-count", "2")
    broker.publish("sensors/b", "second")
    expect(page.locator(".reject .payload")).to_have_text(["second", "first"], timeout=10_000)
    expect(page.locator(".reject .times")).to_have_text(["2 times", "2 times"])


def test_without_the_live_connection_it_asks(broker: Mosquitto, visit: Begin) -> None:
    viewer = visit(expected=("WebSocket", "ERR_FAILED"))
    viewer.page.route("**/socket.io/**", lambda route: route.abort())
    page = viewer.open("/rejects")
    expect(page.locator("#empty")).to_be_visible()
    broker.publish("sensors/kitchen", "not JSON")
    expect(page.locator(".reject")).to_have_count(1, timeout=15_000)


def test_while_the_gateway_is_away_the_list_says_so(broker: Mosquitto, daemon: Daemon, visit: Begin) -> None:
    broker.publish("sensors/kitchen", "not JSON")
    page = visit().open("/rejects")
    expect(page.locator("#summary")).to_have_text("1 reject · 1 of 1 message rejected so far")
    daemon.stop()
    expect(page.locator("#summary")).to_contain_text("1 reject · no connection to the gateway since ")
    daemon.start()
    expect(page.locator("#summary")).to_have_text("1 reject · 1 of 1 message rejected so far")


def test_hostile_topics_and_payloads_are_text(broker: Mosquitto, visit: Begin) -> None:
    broker.publish(f"sensors/{MARKUP}", f"{MARKUP}\u202etxt")
    broker.publish("sensors/binary", b"\xff\xfe\x00<b>")
    broker.publish("sensors/kitchen", json.dumps({"temperature": [], MARKUP: "x" * 300}))
    viewer = visit(size=PHONE, theme="dark")
    page = viewer.open("/rejects")
    expect(page.locator(".reject")).to_have_count(3)
    assert facts(page, "topic") == ["sensors/kitchen", "sensors/binary", f"sensors/{MARKUP}"]
    payloads = page.locator(".reject .payload").all_inner_texts()
    assert payloads[1].startswith("0000  ff fe 00 3c 62 3e  ")
    assert payloads[2] == f"{MARKUP}\\u202etxt"
    assert page.locator("main img, main b").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]


def test_rejects_can_be_filtered(broker: Mosquitto, visit: Begin) -> None:
    broker.publish_all([("sensors/kitchen", "one"), ("sensors/cellar", "two"), ("sensors/attic", "three")])
    page = visit().open("/rejects")
    expect(page.locator(".reject:visible")).to_have_count(3)
    page.get_by_label("Filter rejects").fill("cellar")
    expect(page.locator(".reject:visible .payload")).to_have_text(["two"])
    expect(page.locator("#replay-all")).to_have_text("Replay these 1")
    page.get_by_label("Filter rejects").fill("THREE")
    expect(page.locator(".reject:visible .payload")).to_have_text(["three"])
    page.get_by_label("Filter rejects").fill("nowhere")
    expect(page.locator("#no-match")).to_be_visible()
    expect(page.locator("#replay-all")).to_be_disabled()


def test_what_is_still_bad_says_so(broker: Mosquitto, visit: Begin) -> None:
    broker.publish("sensors/kitchen", "not JSON")
    page = visit().open("/rejects")
    page.locator(".reject button").click()
    expect(page.locator(".outcome")).to_have_text("Still rejected, for the same reason.")
    expect(page.locator(".reject")).to_have_count(1)
    page.locator("#replay-all").click()
    expect(page.locator("#notices")).to_contain_text("Replayed: 1 still rejected.")


def test_what_was_mended_is_stored_and_goes(browser: Browser, broker: Mosquitto, tmp_path: Path) -> None:
    with Daemon(tmp_path / "gateway", mqtt(broker.port) + CLIMATE) as daemon:
        daemon.wait_up("broker")
        hot = [("sensors/oven", json.dumps({"temperature": degrees})) for degrees in (180.5, 190.5)]
        broker.publish_all([*hot, ("sensors/oven", "not JSON")])
        viewer = Visit(browser, daemon.url)
        page = viewer.open("/rejects")
        expect(page.locator(".reject h2").last).to_contain_text("temperature")
        daemon.stop()
        daemon.config.write_text(daemon.config.read_text().replace("max = 85", "max = 300"))
        daemon.start()
        expect(page.locator("#connection")).to_have_text("Live", timeout=20_000)
        page.locator(".reject button").last.click()
        expect(page.locator(".reject").last.locator(".outcome")).to_have_text("Stored.")
        page.locator("#replay-all").click()
        expect(page.locator("#notices")).to_contain_text("1 stored, 1 still rejected", timeout=10_000)
        expect(page.locator(".reject .payload")).to_have_text(["not JSON"], timeout=30_000)
        assert [reading["values"]["temperature"] for reading in daemon.readings("oven")] == [180.5, 190.5]
        viewer.close()


def test_more_than_is_shown_is_replayed_too(broker: Mosquitto, visit: Begin) -> None:
    broker.publish_all([("sensors/kitchen", f"bad {number}") for number in range(120)])
    page = visit().open("/rejects")
    expect(page.locator("#summary")).to_contain_text("the newest 100 of 120 rejects")
    page.locator("#replay-all").click()
    expect(page.locator("#notices")).to_contain_text("Replayed: 120 still rejected.", timeout=20_000)
    page.locator("#more").click()
    expect(page.locator(".reject")).to_have_count(120)


def test_one_of_which_only_the_beginning_is_kept_says_why_it_stays(broker: Mosquitto, visit: Begin) -> None:
    broker.publish("sensors/kitchen", "x" * 10_000)
    page = visit().open("/rejects")
    expect(page.locator(".reject-foot")).to_contain_text("9.8 KiB · only the beginning is kept: it can't be replayed")
    expect(page.locator(".reject button")).to_be_hidden()
    expect(page.locator("#replay-all")).to_be_disabled()


def test_a_replay_that_fails_says_why(broker: Mosquitto, visit: Begin) -> None:
    broker.publish("sensors/kitchen", "not JSON")
    viewer = visit(expected=("status of 503",))
    refusal = {"error": {"code": "unavailable", "message": "the journal can't be written"}}

    def refuse(route: Route) -> None:
        route.fulfill(status=503, json=refusal)

    viewer.page.route("**/api/v1/rejects/*/replay", refuse)
    page = viewer.open("/rejects")
    page.locator(".reject button").click()
    expect(page.locator(".outcome")).to_have_text("Not replayed: the journal can't be written")


@pytest.mark.parametrize("path", ["/", "/devices/kitchen", "/status"])
def test_every_page_says_how_many_there_are(broker: Mosquitto, visit: Begin, path: str) -> None:
    broker.publish_all([("sensors/kitchen", "one"), ("sensors/cellar", "two")])
    page = visit().open(path)
    expect(page.locator("#reject-count")).to_have_text("2")
    page.get_by_role("link", name="Rejects").click()
    expect(page.locator(".reject")).to_have_count(2)


def test_the_ledger_leads_to_the_rejects_of_a_source(broker: Mosquitto, visit: Begin) -> None:
    broker.publish("sensors/kitchen", "not JSON")
    page = visit().open("/status")
    page.locator("#ledger").get_by_role("link").last.click()
    expect(page.locator(".reject")).to_have_count(1)
    expect(page.get_by_label("Source")).to_have_value("broker")
