"""The demo's sensors, without their broker."""

import json

from gateway.cli.demo.devices import Climate, EnergyMeter, Soil

START_S = 1_767_225_679.0  # any time: a day's curve goes on where it was, a new demo begins with all sensors talking


def payloads(device, seconds):
    return [message for at in range(seconds) for message in device.publish(START_S + at)]


def test_the_soil_probe_talks_falls_silent_and_comes_back():
    soil = Soil()
    talks = [bool(soil.publish(START_S + at)) for at in range(180)]
    assert talks == ([True] * 60 + [False] * 30) * 2


def test_values_stay_within_what_the_demos_profiles_allow():
    for topic, payload in payloads(Climate(), 600):
        values = json.loads(payload)
        assert topic == "sensors/greenhouse"
        assert -40 <= values["temperature"] <= 85
        assert 0 <= values["humidity"] <= 100
        assert 0 <= values["battery"] <= 5


def test_the_meter_only_counts_up():
    totals = [json.loads(payload)["ENERGY"]["Total"] for _, payload in payloads(EnergyMeter(), 600)]
    assert totals == sorted(totals)
    assert totals[-1] > totals[0]
