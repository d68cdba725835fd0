import json
from urllib.parse import quote

import pytest

from gateway.secrets import Secrets, has_password, hide_value, is_secret_key


@pytest.fixture
def secrets():
    return Secrets()


def test_a_secret_is_shown_as_what_refers_to_it(secrets):
    secrets.add("hunter22", "${PASSWORD}")
    assert secrets.hide("login as me:hunter22 refused") == "login as me:${PASSWORD} refused"


def test_the_longer_of_two_goes_first(secrets):
    secrets.add("hunter", "${A}")
    secrets.add("hunter22", "${B}")
    assert secrets.hide("hunter22 hunter") == "${B} ${A}"


@pytest.mark.parametrize("write", [json.dumps, repr, lambda text: json.dumps(text, ensure_ascii=False), quote])
def test_a_secret_is_hidden_as_it_is_quoted(secrets, write):
    secrets.add('grün"\\\t', "…")
    assert "n" not in secrets.hide(write('grün"\\\t'))


def test_of_a_secret_of_several_lines_each_is_one(secrets):
    secrets.add("first line\nsecond line\n", "…")
    assert secrets.hide("x second line first line") == "x … …"


def test_what_is_too_short_would_only_make_texts_unreadable(secrets):
    secrets.add("a", "…")
    secrets.add("", "…")
    assert secrets.hide("a banana") == "a banana"


def many(start, end):
    return "\n".join(f"secret-{number}." for number in range(start, end))


def test_what_is_hidden_is_bounded_and_the_newest_stay(secrets):
    secrets.add(many(0, 2000), "…")
    assert (secrets.hide("secret-1999."), secrets.hide("secret-0.")) == ("…", "secret-0.")


def test_a_secret_that_each_reload_brings_again_is_not_forgotten(secrets):
    for start in (0, 600):
        secrets.add("hunter22", "${PASSWORD}")
        secrets.add(many(start, start + 600), "…")
    assert secrets.hide("hunter22") == "${PASSWORD}"


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("socket://me:pw@host:1: refused", "socket://…@host:1: refused"),
        ("socket://me:p@w@host", "socket://…@host"),
        ("rfc2217://:pw@host/a@b", "rfc2217://…@host/a@b"),
        ("ssh://pi@host", "ssh://pi@host"),
        ("http://host:80/a:b@c", "http://host:80/a:b@c"),
    ],
)
def test_passwords_in_addresses_are_hidden(secrets, text, hidden):
    assert secrets.hide(text) == hidden
    assert has_password(text) == (text != hidden)


@pytest.mark.parametrize(
    ("line", "hidden"),
    [
        ("password = hunter22", "password = …"),
        ('{ user = "a", API_TOKEN="hunter22" }', '{ user = "a", API_TOKEN= …'),
        ("password_file = /etc/x", "password_file = /etc/x"),
        ("host = a", "host = a"),
    ],
)
def test_a_line_that_can_not_be_parsed_may_hold_a_secret(line, hidden):
    assert hide_value(line) == hidden


def test_keys_say_whether_they_are_secret():
    assert all(map(is_secret_key, ["password", "adapters[0].password", "api_token", "client_secret"]))
    assert not any(map(is_secret_key, ["password_file", "host", "adapters[0].password_file", "profiles.compass.min"]))
