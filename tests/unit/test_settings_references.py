import pytest

from gateway.secrets import Secrets
from gateway.settings.references import References

ENVIRON = {"HOST": "pi.local", "PW": "hunter22", "EMPTY": ""}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "broker").write_bytes(b"hunter23\r\n")
    return tmp_path


@pytest.fixture
def expand(folder):
    def expand(data, *, secrets=None, environ=None, **more):
        complaints = []
        given = ENVIRON | {"CREDENTIALS_DIRECTORY": str(folder)} if environ is None else environ
        references = References(given, secrets or Secrets(), **more)
        return references.expand(data, lambda *complaint: complaints.append(complaint)), complaints

    return expand


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("${HOST}", "pi.local"),
        ("a-${HOST}-${PW}", "a-pi.local-hunter22"),
        ("${EMPTY}", ""),
        ("$${HOST}", "${HOST}"),
        ("$HOST $", "$HOST $"),
        ("${credential:broker}", "hunter23"),
        (7, 7),
        (True, True),
    ],
)
def test_texts_are_expanded(expand, text, expanded):
    assert expand({"a": [{"b": text}]}) == ({"a": [{"b": expanded}]}, [])


@pytest.mark.parametrize(
    ("text", "expected", "hint"),
    [
        ("x ${NOBODY}", "a variable that is set", "the environment has no NOBODY"),
        ("${}", "${NAME} or ${credential:NAME}", "a ${ that is meant so is written $${"),
        ("${a b}", "${NAME} or ${credential:NAME}", "a ${ that is meant so is written $${"),
        ("${credential:../x}", "${NAME} or ${credential:NAME}", "a ${ that is meant so is written $${"),
        ("${credential:x}", "a credential of the service", "there is none of this name; LoadCredential=x:"),
    ],
)
def test_what_refers_to_nothing_is_left_and_complained_of(expand, text, expected, hint):
    data, [(at, complaint)] = expand({"adapters": [{"user": text}]})
    assert data == {"adapters": [{"user": text}]}
    assert at == ("adapters", 0, "user")
    assert (complaint.expected, complaint.found) == (expected, f'"{text}"')
    assert complaint.hint.startswith(hint)


def test_without_credentials_a_service_says_so(expand):
    _, [(_, complaint)] = expand("${credential:x}", environ={})
    assert complaint.hint.startswith("systemd has given this process none")


def test_another_process_leaves_what_only_the_service_has(expand):
    text = "${credential:x} ${CREDENTIALS_DIRECTORY}/x"
    assert expand(text, environ={}, elsewhere=True) == (text, [])
    _, [(_, complaint)] = expand("${NOBODY}", environ={}, elsewhere=True)
    assert complaint.expected == "a variable that is set"


def test_what_an_adapter_gets_is_not_to_be_seen(expand):
    secrets = Secrets()
    table = {"host": "${HOST}", "password": "${PW}", "other": "${credential:broker}"}
    expand({"adapters": [table], "gateway": {"name": "${HOST}"}}, secrets=secrets)
    assert secrets.hide("pi.local hunter22 hunter23") == "pi.local ${PW} ${credential:broker}"
