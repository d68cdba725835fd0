"""The page of a device while the gateway's clock isn't set, and when it is."""

from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.support.browser import Visit
from tests.support.clocks import Clock
from tests.support.daemon import Daemon, mqtt
from tests.support.mosquitto import Mosquitto


def test_times_are_put_right_on_the_open_page(browser: Browser, broker: Mosquitto, tmp_path: Path) -> None:
    clock = Clock(tmp_path / "offset")
    clock.set(60.0)
    with Daemon(tmp_path / "gateway", mqtt(broker.port), command=clock.command) as daemon:
        daemon.wait_up("broker")
        broker.publish_all([("sensors/kitchen", f'{{"temperature": {one}}}') for one in (20, 21, 22)])
        visit = Visit(browser, daemon.url)
        page = visit.open_device("kitchen")
        expect(page.locator("#rows .mark")).to_have_text(["clock unset"] * 3)
        expect(page.locator("#about")).not_to_contain_text("y ago")
        clock.set_off_by(0.0)
        expect(page.locator("#notices")).to_contain_text("earlier times are right now")
        expect(page.locator("#rows tr")).to_have_count(3)
        expect(page.locator("#rows .mark")).to_have_count(0)
        broker.publish("sensors/kitchen", '{"temperature": 23}')
        visit.wait_for_data("lastSeq", 4)
        assert visit.data()["held"] == "false"  # the charts end now: all times are by one clock
        visit.wait_inked("#charts canvas")
        visit.close()
