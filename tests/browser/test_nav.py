"""What every page says beside the names of the others."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.support.browser import Visit
from tests.support.daemon import Daemon
from tests.support.mosquitto import Mosquitto
from tests.support.ports import wait_until

SMALL_PHONE = (320, 568)


def test_who_looks_at_devices_sees_that_a_source_is_gone(
    broker: Mosquitto, daemon: Daemon, visit: Callable[..., Visit]
) -> None:
    viewer = visit(size=SMALL_PHONE)
    broker.publish("sensors/kitchen", "not JSON")
    count = viewer.open().locator("#problem-count")
    expect(count).to_be_hidden()
    broker.stop()
    wait_until(lambda: daemon.get("/api/v1/status")["problems"], "a problem")
    viewer.open()
    expect(count).to_have_text("1")
    assert "source broker is down" in (count.get_attribute("title") or "")
    expect(viewer.page.locator("#reject-count")).to_have_text("1")
    assert viewer.page.evaluate("document.documentElement.scrollWidth") == SMALL_PHONE[0]


def test_who_waits_for_the_first_reading_sees_why_none_comes(
    broker: Mosquitto, daemon: Daemon, visit: Callable[..., Visit]
) -> None:
    viewer = visit(size=SMALL_PHONE)
    page = viewer.open()
    trouble = page.locator("#empty .notices")
    expect(page.locator("#empty h2")).to_have_text("Waiting for the first reading")
    expect(trouble).to_be_hidden()
    broker.stop()
    expect(trouble).to_contain_text("Source broker is down: ", timeout=15_000)
    assert page.evaluate("document.documentElement.scrollWidth") == SMALL_PHONE[0]
    broker.start()
    expect(trouble).to_be_hidden(timeout=30_000)
