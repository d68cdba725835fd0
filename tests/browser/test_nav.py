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
