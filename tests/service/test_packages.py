"""What is in the packages, and what Debian's own checker says of them."""

import re
import subprocess

import pytest

from gateway.configuration import load
from tests.support.packages import ROOT

MACHINE = {"amd64": 0x3E, "arm64": 0xB7}
"""e_machine of elf(5)."""
UNIT = "lib/systemd/system/telemetry-gateway.service"
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
NAMED = re.compile(r"\bdocs/[\w./-]+")


@pytest.fixture(params=["amd64", "arm64"])
def package(request, packages):
    return request.param, packages[request.param]


def run(*command):
    return subprocess.run(command, check=True, timeout=120.0, capture_output=True, text=True).stdout


def test_its_machine_code_is_for_its_machine_and_the_page_is_in_it(tmp_path, package):
    arch, file = package
    run("dpkg-deb", "-x", str(file), str(tmp_path))
    site = tmp_path / "usr/lib/telemetry-gateway/lib/python3.11/site-packages"
    codes = [int.from_bytes(library.read_bytes()[18:20], "little") for library in site.rglob("*.so")]
    assert len(codes) >= 4
    assert set(codes) == {MACHINE[arch]}
    assert (site / "gateway/web/static/vendor/socket.io.esm.min.js").is_file()
    assert load(tmp_path / "etc/telemetry-gateway/gateway.toml").adapters == ()


def test_nothing_of_where_it_was_built_is_in_it(tmp_path, package):
    _, file = package
    run("dpkg-deb", "-x", str(file), str(tmp_path))
    scripts = [path for path in (tmp_path / "usr/lib/telemetry-gateway/bin").iterdir() if not path.is_symlink()]
    assert {path.read_text().splitlines()[0] for path in scripts} == {"#!/usr/lib/telemetry-gateway/bin/python3 -I"}
    found = subprocess.run(["grep", "-rlI", str(ROOT), str(tmp_path)], check=False, capture_output=True)
    assert found.stdout == b""


def test_what_the_pages_link_and_the_program_names_is_in_it(tmp_path, package):
    _, file = package
    run("dpkg-deb", "-x", str(file), str(tmp_path))
    doc = tmp_path / "usr/share/doc/telemetry-gateway"
    links = [(page, link) for page in doc.rglob("*.md") for link in LINK.findall(page.read_text())]
    assert len(links) > 30
    assert [(page, link) for page, link in links if not (page.parent / link).exists()] == []
    programs = [*tmp_path.glob("usr/lib/telemetry-gateway/lib/python3.11/site-packages/[ag]*/**/*.py"), tmp_path / UNIT]
    named = {name for program in programs for name in NAMED.findall(program.read_text())}
    assert len(named) > 10
    assert [name for name in named if not list(doc.glob(f"{name.rstrip('.')}*"))] == []


def test_lintian_finds_no_error(package):
    _, file = package
    run("lintian", "--allow-root", "--fail-on", "error", str(file))
