"""What every framing promises, for all in ``FRAMINGS``: a new one joins by being listed there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.framing import FRAMINGS, Frame

pytestmark = pytest.mark.parametrize("name", sorted(FRAMINGS))

# Bytes with what framings look for in them more often than chance has it, and some long runs.
pieces = st.lists(
    st.one_of(st.binary(max_size=40), st.sampled_from([b"\n", b"\r\n", b"\0", b"\x02", b"\x03", b"\xc0", b"x" * 5000])),
    max_size=30,
)


def feed(framing, parts):
    return [frame for part in parts for frame in framing.feed(part)]


@given(parts=pieces, cut=st.integers(1, 50))
def test_the_frames_do_not_depend_on_how_the_bytes_are_cut(name, parts, cut):
    stream = b"".join(parts)
    whole = feed(FRAMINGS[name](), [stream])
    assert feed(FRAMINGS[name](), parts) == whole
    assert feed(FRAMINGS[name](), [stream[i : i + cut] for i in range(0, len(stream), cut)]) == whole


@given(parts=pieces)
def test_frames_are_bounded_and_in_words(name, parts):
    for frame in feed(FRAMINGS[name](), parts):
        assert isinstance(frame, Frame)
        assert isinstance(frame.payload, bytes)
        assert 0 < len(frame.payload) <= 4096
        assert "\n" not in frame.flaw


@given(garbage=st.binary(max_size=300))
def test_it_finds_its_way_back_after_garbage(name, garbage):
    # The separator of every framing so far: two of them end whatever the garbage began.
    framing = FRAMINGS[name]()
    feed(framing, [garbage, b"\n\n"])
    assert [frame.payload for frame in feed(framing, [b"a=1\n", b"a=2\n"])] == [b"a=1", b"a=2"]


def test_two_of_a_kind_share_nothing(name):
    one, other = FRAMINGS[name](), FRAMINGS[name]()
    feed(one, [b"half"])
    assert [frame.payload for frame in feed(other, [b"whole\n"])] == [b"whole"]
