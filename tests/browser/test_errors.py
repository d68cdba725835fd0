"""What a browser is shown where there is no page."""

import urllib.request
from collections.abc import Callable
from urllib.error import HTTPError

import pytest
from playwright.sync_api import expect

from tests.support.browser import PHONE, Visit
from tests.support.daemon import Daemon

Begin = Callable[..., Visit]
NOT_FOUND = "the server responded with a status of 404"


@pytest.mark.parametrize("path", ["/nowhere", "/nowhere/%3Cimg%20src=x%20onerror=alert(1)%3E", "/devices/a%2Bb"])
def test_there_is_a_page_for_no_page(visit: Begin, path: str) -> None:
    page = visit(expected=(NOT_FOUND,)).open(path)
    expect(page.locator("#error")).to_have_attribute("data-status", "404")
    expect(page.locator("h1")).to_have_text("Not Found")
    assert page.locator("main img").count() == 0
    page.locator("#error").get_by_role("link", name="All devices").click()
    expect(page.locator("#connection")).to_have_text("Live")


def test_a_device_that_cannot_be_says_why(visit: Begin) -> None:
    page = visit(expected=(NOT_FOUND,), size=PHONE).open("/devices/" + "long" * 50)
    expect(page.locator("#error")).to_contain_text("has 200 characters, at most 128 are allowed")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]


def answer(url: str, accept: str) -> tuple[int, str, str]:
    request = urllib.request.Request(url, headers={"Accept": accept})
    with pytest.raises(HTTPError) as caught:
        urllib.request.urlopen(request, timeout=10.0)
    with caught.value as error:
        return error.code, error.headers["Content-Type"], error.read().decode()


def test_a_program_is_answered_in_its_form(daemon: Daemon) -> None:
    code, form, text = answer(daemon.url + "/nowhere", "*/*")
    assert (code, form) == (404, "text/plain; charset=utf-8")
    assert "<" not in text
    code, form, text = answer(daemon.url + "/api/v1/nowhere", "text/html")
    assert (code, form) == (404, "application/json")
