"""Debian's Chromium, driven by Playwright; a visit notes what a page must never do."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote, urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from tests.support.ports import wait_until

_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_DATA = "({...document.getElementById('content').dataset})"
_INKED = """(selector) => {
  const canvas = document.querySelector(selector);
  if (!canvas?.width) return false;
  const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.filter((alpha, index) => index % 4 === 3 && alpha > 128).length > 20;
}"""
_EXPECTED = (
    "net::ERR_CONNECTION_",  # the daemon is being restarted
    "net::ERR_INTERNET_DISCONNECTED",  # the viewer is taken off the network
    "willReadFrequently",  # the test looks at a canvas
)
DESKTOP = (1280, 800)
PHONE = (390, 844)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Give a browser without a window."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    assert program, "Chromium is missing: run make setup"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_FLAGS))
        yield browser
        browser.close()


class Visit:
    """One viewer at the gateway under ``url``; ``faults`` keeps errors, dialogs and requests to other hosts."""

    def __init__(
        self,
        browser: Browser,
        url: str,
        *,
        size: tuple[int, int] = DESKTOP,
        theme: str = "light",
        expected: tuple[str, ...] = (),
    ) -> None:
        self.faults: list[str] = []
        self._url = url
        self._expected = (*_EXPECTED, *expected)
        viewport = {"width": size[0], "height": size[1]}
        self.page: Page = browser.new_page(viewport=viewport, color_scheme=theme, reduced_motion="reduce")
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("dialog", lambda dialog: (self.faults.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        self.page.on("console", self._hear)
        self.page.on("request", self._watch)

    def open(self, path: str = "/") -> Page:
        """Go to a page of the gateway."""
        self.page.goto(self._url + path)
        return self.page

    def open_device(self, name: str) -> Page:
        """Go to the page of a device."""
        return self.open(f"/devices/{quote(name, safe='')}")

    def wait_for_data(self, attribute: str, value: object, *, timeout_s: float = 20.0) -> None:
        """Wait until the page says ``value`` in one of its data attributes."""
        wait_until(
            lambda: self.page.evaluate(_DATA).get(attribute) == str(value),
            f"{attribute} {value} on the page",
            timeout_s=timeout_s,
        )

    def data(self) -> dict[str, str]:
        """Return what the page says of itself: lastSeq, firstSeq, points, unexplained, held."""
        return self.page.evaluate(_DATA)

    def wait_inked(self, selector: str) -> None:
        """Wait until something is drawn on a canvas."""
        wait_until(lambda: self.page.evaluate(_INKED, selector), f"a drawing on {selector}")

    def close(self) -> None:
        """Leave; fails if the page did what it mustn't."""
        self.page.close()
        assert not self.faults, "\n".join(self.faults)

    def _hear(self, message: ConsoleMessage) -> None:
        expected = any(words in message.text for words in self._expected)
        if message.type in {"error", "warning"} and not expected:
            self.faults.append(f"console: {message.text} {message.location.get('url', '')}")

    def _watch(self, request: Request) -> None:
        if urlsplit(request.url).netloc != urlsplit(self._url).netloc:
            self.faults.append(f"request to another host: {request.url}")
