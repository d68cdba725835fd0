from gateway.overview import ROOM, Overview


class Room:
    def __init__(self):
        self.sent = []
        self.anybody = True

    def occupied(self, room):
        assert room == ROOM
        return self.anybody

    def announce(self, room, event, payload):
        assert (room, event) == (ROOM, "devices")
        self.sent.append([device["id"] for device in payload["devices"]])


class Devices:
    def describe(self, name):
        return {"id": name}


def make():
    room, clock = Room(), [0.0]
    return Overview(Devices(), room, lambda: clock[0]), room, clock


def test_the_first_change_goes_at_once_and_the_next_after_its_second():
    overview, room, clock = make()
    overview.touch(["a"])
    overview.touch(["a", "b"])
    assert room.sent == [["a"], ["b"]]
    clock[0] = 0.9
    overview.tick()
    assert room.sent == [["a"], ["b"]]
    clock[0] = 1.0
    overview.tick()
    assert room.sent == [["a"], ["b"], ["a"]]
    clock[0] = 5.0
    overview.tick()
    assert len(room.sent) == 3


def test_nobody_there_costs_no_packet():
    overview, room, clock = make()
    room.anybody = False
    overview.touch(["a"])
    clock[0] = 2.0
    overview.tick()
    assert room.sent == []
