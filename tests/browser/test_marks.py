"""What a reading says of itself besides its values, on the device's page."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.support.browser import Visit
from tests.support.mosquitto import Mosquitto

Begin = Callable[..., Visit]

MARKS = """async (reading) => {
  const { marksOf, legend } = await import("/static/js/marks.js");
  return [...marksOf(reading), ...legend([reading])].map((node) => node.textContent);
}"""


@pytest.fixture
def attic(broker: Mosquitto) -> None:
    """A message that the broker keeps, and hands over when the gateway subscribes."""
    broker.publish("sensors/attic", '{"temperature": 12.5}', retain=True)


@pytest.mark.usefixtures("attic")
def test_a_retained_reading_is_marked_and_explained(broker: Mosquitto, visit: Begin) -> None:
    page = visit().open_device("attic")
    expect(page.locator("#rows .mark")).to_have_text(["retained"])
    expect(page.locator("#rows .mark")).to_have_attribute("title", re.compile("^the broker had kept this message"))
    expect(page.locator("#legend")).to_contain_text("the broker had kept this message")
    broker.publish("sensors/attic", '{"temperature": 13.5}')
    expect(page.locator("#rows tr")).to_have_count(2)
    expect(page.locator("#rows .mark")).to_have_count(1)


@pytest.mark.parametrize(
    ("marks", "names"),
    [
        ({}, []),
        ({"clock": "unset"}, ["clock unset"]),
        ({"retained": True, "clock": "unset"}, ["retained", "clock unset"]),
    ],
)
def test_each_mark_comes_with_what_it_means(visit: Begin, marks: dict[str, object], names: list[str]) -> None:
    page = visit().open()
    said = page.evaluate(MARKS, {"seq": 1, "ts": 1.0, "values": {}, **marks})
    assert said[: len(names)] == names
    meanings = said[len(names) :]
    assert len(meanings) == len(names)
    assert all(text.startswith(f"{name} the ") for name, text in zip(names, meanings, strict=True))
