from gateway.durations import in_words


def test_a_duration_has_the_largest_unit_that_fits():
    assert [in_words(it) for it in (0.4, 12, 59.9, 3600, 98_089_721)] == ["0 s", "12 s", "59 s", "1 h", "1135 d"]
