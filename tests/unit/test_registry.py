from importlib.metadata import EntryPoint

import pytest

from gateway.adapter import Adapter, AdapterConfig
from gateway.registry import GROUP, BrokenType, Registry, UnknownType


class Good(Adapter[AdapterConfig]):
    Config = AdapterConfig

    def run(self, emit, stop):
        """Do nothing."""


class WithoutConfig(Adapter[AdapterConfig]):
    def run(self, emit, stop):
        """Do nothing."""


class WithoutRun(Adapter[AdapterConfig]):
    Config = AdapterConfig


def registry(**targets: str) -> Registry:
    return Registry(EntryPoint(name, target, GROUP) for name, target in targets.items())


def test_a_type_is_found_by_its_name():
    assert registry(good=f"{__name__}:Good").find("good") is Good


def test_names_are_sorted_and_nothing_is_imported_for_them():
    assert registry(b="nowhere:B", a="nowhere:A").names == ("a", "b")


@pytest.mark.parametrize("name", ["", "godo"])
def test_an_unknown_type(name):
    with pytest.raises(UnknownType):
        registry(good=f"{__name__}:Good").find(name)


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("no_such_module_anywhere:X", "ModuleNotFoundError"),
        (f"{__name__}:NoSuchName", "AttributeError"),
        ("pytest:skip", "is no subclass of gateway.adapter.Adapter"),
        ("pathlib:Path", "is no subclass of gateway.adapter.Adapter"),
        (f"{__name__}:WithoutConfig", "has no Config"),
        (f"{__name__}:WithoutRun", "doesn't define run"),
    ],
)
def test_a_broken_type_is_named_only_when_it_is_used(target, reason):
    types = registry(broken=target, good=f"{__name__}:Good")
    assert types.find("good") is Good
    assert list(types.usable()) == [("good", Good)]
    with pytest.raises(BrokenType, match=reason):
        types.find("broken")


def test_a_module_that_exits_while_it_is_imported(tmp_path, monkeypatch):
    (tmp_path / "exits_at_import.py").write_text("raise SystemExit(1)")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BrokenType, match="SystemExit"):
        registry(broken="exits_at_import:X").find("broken")


def test_one_type_from_two_packages():
    entries = [EntryPoint("good", target, GROUP) for target in (f"{__name__}:Good", "elsewhere:Good")]
    with pytest.raises(BrokenType, match=r"several packages provide it: elsewhere:Good, .*:Good"):
        Registry(entries).find("good")


def test_one_type_seen_twice_in_the_same_package():
    entry = EntryPoint("good", f"{__name__}:Good", GROUP)
    assert Registry([entry, entry]).find("good") is Good


def test_the_built_in_types_are_installed():
    assert {"mqtt", "serial", "simulator"} <= set(Registry.installed().names)
