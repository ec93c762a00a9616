# SPDX-License-Identifier: GPL-2.0
"""What a record should say: values, and things that stand for values."""

ABSENT = "absent"   # the member does not apply, and is not there


class Within:
    def __init__(self, low, high, unit=1, name=""):
        self.low, self.high, self.unit, self.name = low, high, unit, name

    def __eq__(self, other):
        return isinstance(other, int) and self.low * self.unit <= other <= self.high * self.unit

    def __repr__(self):
        return f"from {self.low} to {self.high}{self.name}"


def between(low, high):
    return Within(low, high)


def ms(low, high):
    """A span in the record is in nanoseconds; here are its bounds in milliseconds."""
    return Within(low, high, 10**6, " ms")


class OneOf:
    def __init__(self, *values):
        self.values = values

    def __eq__(self, other):
        return any(value == other for value in self.values)

    def __repr__(self):
        return " or ".join(map(repr, self.values))


def one_of(*values):
    return OneOf(*values)


class Anything:
    def __eq__(self, other):
        return True

    def __repr__(self):
        return "anything"


# Depends on what this kernel lets BPF programs see.
ANYTHING = Anything()


class Has:
    def __init__(self, parts):
        self.parts = parts

    def __eq__(self, other):
        return other not in (None, ABSENT) and all(part in other for part in self.parts)

    def __repr__(self):
        return "with " + " and ".join(map(repr, self.parts))


def has(*parts):
    """A list with these elements, or a text with these words."""
    return Has(parts)


class Since:
    def __init__(self, version, value, before):
        self.version, self.value, self.before = version, value, before


def since(version, value, before):
    """What depends on the kernel: since("6.5", 3, before=2)."""
    return Since(tuple(map(int, version.split("."))), value, before)


class Noted:
    def __init__(self, name):
        self.name = name


def noted(name):
    """What play() has left in s.notes."""
    return Noted(name)


class Through:
    def __init__(self, way, value, without):
        self.way, self.value, self.without = way, value, without


def through(way, value, without):
    """What only an attach point tells that not every kernel allows, as `tcpshake doctor` names it:
    through("fentry tcp_conn_request", "O_SYNQ_DROP", without="O_TIMEOUT")."""
    return Through(way, value, without)


def resolve(value, result):
    """The value on this kernel, in this run."""
    while isinstance(value, (Since, Noted, Through)):
        if isinstance(value, Since):
            value = value.value if result["kernel"] >= value.version else value.before
        elif isinstance(value, Through):
            value = value.value if value.way in result["ways"] else value.without
        else:
            value = result["notes"].get(value.name, f"(play() did not note {value.name})")
    return value


def member(record, path):
    for key in path.split("."):
        if not isinstance(record, dict) or key not in record:
            return ABSENT
        record = record[key]
    return record


# What every record says unless its scenario knows better.
USUAL = {
    "witness.wire": True,
    "witness.socket": True,
    "witness.lost": 0,
    "witness.late": 0,
    "witness.confidence": "certain",
    "witness.conflicts": [],
}
