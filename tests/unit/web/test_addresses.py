import pytest

from gateway.web.addresses import Addresses

ADDRESSES = Addresses(["127.0.0.1", "::1", "10.0.0.0/8"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "whose"),
    [
        ("127.0.0.1", None, None),
        ("127.0.0.2", None, "127.0.0.2"),
        ("192.0.2.7", None, "192.0.2.7"),
        ("192.0.2.7", "198.51.100.1", "192.0.2.7"),  # who is no proxy is not asked for whom it speaks
        ("127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "203.0.113.9, 198.51.100.1", "198.51.100.1"),  # the client itself wrote the first
        ("127.0.0.1", "198.51.100.1, 10.1.2.3", "198.51.100.1"),
        ("127.0.0.1", "198.51.100.1:4711", "198.51.100.1"),
        ("::1", "[2001:db8:1:2:3::4]:80", "2001:db8:1:2::/64"),
        ("::1", "2001:db8:1:2:ffff::5", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", None, "192.0.2.7"),
        ("::ffff:127.0.0.1", None, None),
        ("127.0.0.1", "unknown", None),
        ("127.0.0.1", "", None),
        ("127.0.0.1", "127.0.0.1", None),
        ("control", None, None),
    ],
)
def test_whose_request_it_is(peer, forwarded, whose):
    environ = {"REMOTE_ADDR": peer} | ({} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded})
    assert ADDRESSES.of_request(environ) == whose
    if forwarded is None:
        assert ADDRESSES.of_peer(peer) == whose
