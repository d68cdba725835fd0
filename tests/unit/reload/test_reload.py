import logging

import pytest

from gateway.adapter import Adapter, AdapterConfig
from gateway.configuration import Configuration, no_source
from gateway.errors import ConfigError, ConfigProblem
from gateway.notify import Notifier
from gateway.reload import Reload
from gateway.runtime import Event, monotonic, sleep, spawn
from gateway.secrets import Secrets
from gateway.settings import Settings


class NoSources:
    """There is none, and none to come."""

    @property
    def plans(self):
        return {}

    def take_down(self, names):
        pass

    drop = take_down

    def make(self, plan):
        raise ZeroDivisionError("a defect of an adapter")

    def put_up(self, made, order):
        pass


class File:
    """What is read, each time."""

    def __init__(self, path):
        self.path = path
        self.reads = 0
        self.text = {}
        self.wait = None
        self.error = None
        self.adapters = ()

    def read(self):
        self.reads += 1
        if self.wait is not None:
            self.wait.wait(5.0)
        if self.error is not None:
            raise self.error
        return Configuration(self.path, (), Secrets(), (), Settings.model_validate(self.text), self.adapters, {}, {})


@pytest.fixture
def file(tmp_path):
    return File(tmp_path / "gateway.toml")


@pytest.fixture
def origins():
    return []


@pytest.fixture
def notes():
    return ["something else"]


@pytest.fixture
def reload(file, origins, notes):
    live = {"web.allowed_origins": lambda settings: origins.append(settings.web.allowed_origins)}
    made = Reload(file.read(), NoSources(), read=file.read, live=live, notes=notes, notifier=Notifier({}))
    stopping = Event()
    task = spawn(made.run, stopping)
    yield made
    stopping.set()
    assert task.join(5.0)


def until(condition):
    deadline = monotonic() + 5.0
    while not condition():
        assert monotonic() < deadline
        sleep(0.01)


def broken(line):
    return ConfigError([ConfigProblem(f"gateway.toml:{line}", "web.port", "a whole number", "nothing")])


def test_nothing_has_changed(reload, file):
    assert reload.answer() == {
        "complete": True,
        "words": ["nothing has changed", f"warning: {no_source(file.path)}"],
        "problems": [],
        "sources": [],
        "settings": [],
        "restart": [],
    }


def test_a_setting_takes_effect_once(reload, file, origins):
    file.text = {"web": {"allowed_origins": ["https://a.example"]}}
    assert reload.answer()["settings"] == ["web.allowed_origins"]
    assert reload.answer()["settings"] == []
    assert origins == [("https://a.example",)]


def test_what_needs_a_restart_is_named_until_it_is_taken_back(reload, file, notes):
    file.text = {"web": {"port": 8081}}
    for _ in range(2):
        answer = reload.answer()
        assert (answer["complete"], answer["restart"]) == (False, ["web.port"])
        assert notes == ["something else", "web.port changed in the configuration; it needs a restart"]
    file.text = {}
    assert reload.answer()["complete"]
    assert notes == ["something else"]


def test_a_file_that_can_not_be_used_changes_nothing(reload, file, origins, notes):
    file.text = {"web": {"port": 8081}}
    reload.answer()
    file.text, file.error = {"gateway": {"name": "new"}, "web": {"allowed_origins": ["https://a.example"]}}, broken(7)
    answer = reload.answer()
    assert answer["problems"] == ["gateway.toml:7: web.port: expected a whole number, found nothing"]
    assert not origins
    assert [note.partition(":")[0] for note in notes[1:]] == [
        "web.port changed in the configuration; it needs a restart",
        "the configuration can't be used, and nothing was changed",
    ], "what was left undone before still is"
    file.error = None
    assert reload.answer()["settings"] == ["gateway.name", "web.allowed_origins"]
    assert reload.name() == "new"
    assert notes == ["something else"]


def test_a_defect_ends_nothing(reload, file, caplog):
    file.error = ZeroDivisionError("oops")
    assert reload.answer()["problems"] == ["ZeroDivisionError: oops; the gateway's log has more"]
    assert "the configuration could not be read again" in caplog.text
    file.error = None
    assert reload.answer()["complete"]


def test_a_source_that_can_not_be_made_leaves_settings_alone_too(reload, file, origins):
    class Kind(Adapter):
        Config = AdapterConfig

    file.adapters = ((Kind, AdapterConfig(name="a", type="kind")),)
    file.text = {"web": {"allowed_origins": ["https://a.example"]}}
    answer = reload.answer()
    assert answer["words"][0].startswith("the configuration can't be used, and nothing was changed: ZeroDivisionError")
    assert (origins, answer["settings"]) == ([], [])
    file.adapters = ()
    assert reload.answer()["settings"] == ["web.allowed_origins"]
    assert origins == [("https://a.example",)]


def test_whoever_asks_while_one_runs_gets_one_that_sees_the_newest_file(reload, file):
    before, file.wait = file.reads, Event()
    answers = []
    first = spawn(lambda: answers.append(reload.answer()))
    until(lambda: file.reads == before + 1)
    others = [spawn(lambda: answers.append(reload.answer())) for _ in range(5)]
    reload.ask()
    sleep(0.05)
    assert not answers
    file.text = {"web": {"port": 8081}}
    file.wait.set()
    for task in (first, *others):
        assert task.join(5.0)
    assert file.reads == before + 2, "one for all who came meanwhile"
    assert [answer["restart"] for answer in answers[1:]] == [["web.port"]] * 5


def test_the_log_tells_who_asked_by_a_signal(reload, file, caplog):
    caplog.set_level(logging.INFO)
    reload.ask()
    until(lambda: "reload: nothing has changed" in caplog.text)
    file.error = broken(3)
    reload.ask()
    until(lambda: "reload: the configuration can't be used, and nothing was changed: gateway.toml:3" in caplog.text)
