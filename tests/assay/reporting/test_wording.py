"""Numbers as people write them."""

from assay.reporting import wording


def test_numbers_read_as_people_write_them():
    """Points are signed with a true minus, thousands are set apart, small durations are not rounded away."""
    assert wording.share(0.8125) == "81.2\u202f%"
    assert (wording.points(0.1234), wording.points(-0.03), wording.points(0.0)) == ("+12.3", "\u22123.0", "0.0")
    assert wording.points(-0.0001) == "0.0"
    assert wording.count(1234567) == "1\u202f234\u202f567"
    assert wording.duration(187.3) == "3\u202fmin 7\u202fs"
    assert wording.size(2.9e9) == "2.9\u202fGB"
    assert wording.big(1.6e14) == "1.6\u202f\u00d7\u202f10¹⁴"
    assert wording.scaled(940, "latency_p50_ms") == "940\u202fms"
