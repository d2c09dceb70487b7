#!/usr/bin/env python3
"""Sense data over real iSCSI, in descriptor format, judged by sg_decode_sense. `e2e.py` starts it beside tgtd.

    senses_iscsi.py PROVISIONING

In SPC-4 the logical unit has room for one association and runs one sequence at a time; in r3 it has `sense_codes = "assigned"`.
"""
import dataclasses
import os
import sys

import provisioning
from ikev2_scsi import R3, SPC4, Initiator, Refused
from senses import ABORTED, ILLEGAL, NOT_READY, Bad, assigned, cases, check, in_cdb, in_list
from transports import Iscsi


def refused(name, call, *expected):
    try:
        call()
    except Refused as error:
        check(SPC4, True, name, error.raw, *expected)
        return
    raise AssertionError(f"{name}: it was not refused")


class Between(Initiator):
    """Does something after its key exchange."""

    def authenticate(self, initial_contact):
        self.between()
        super().authenticate(initial_contact)


def limits(url, config, dialect, suite):
    first, second = Iscsi(url), Iscsi(url)
    one, other = Between(first, config, dialect), Initiator(second, config, dialect)
    # One sequence at a time, whichever the nexus (SPC-4 5.14.4.1); ABORTED COMMAND has no pointer.
    one.between = lambda: refused("another sequence", lambda: other.create(suite), ABORTED, (0x00, 0x1E), None, None)
    one.create(suite)
    # There is room for one (reading R40).
    refused("a second association", lambda: other.create(suite), ILLEGAL, (0x55, 0x03), in_cdb(2), None)
    one.delete(second)
    refused("a Delete of nothing", lambda: one.delete(first), ILLEGAL, (0x26, 0x00), in_list(4), None)
    # The room is free again.
    other.create(suite)
    other.delete()
    first.close()
    second.close()
    return 3


def all_cases(url, config, dialect, suite):
    """Each at a nexus of its own. With assigned codes hosts read r3's refusals by their right names."""
    found = cases(dialect)
    for name, provoke, *expected in found:
        way, own = Iscsi(url), dataclasses.replace(config)
        # SPC-4's rules say that each code is known by its name.
        try:
            provoke(Bad(way, own, dialect, suite))
        except Refused as error:
            check(SPC4, True, name, error.raw, *assigned(expected))
        else:
            raise AssertionError(f"{name}: it was not refused")
        way.close()
    # The slowest group, whose calculation a key exchange IN must wait for (r3 5.13.7), with a progress of some kind.
    way = Iscsi(url)
    slow = Bad(way, config, dialect, suite)
    slow.at, slow.wanted = None, dataclasses.replace(suite, dh=0x12)
    slow.create(slow.wanted)
    slow.delete()
    assert slow.put_off, "no command was put off"
    for sense in slow.put_off:
        check(SPC4, True, "a calculation that runs", sense, NOT_READY, (0x04, 0x07), None, Ellipsis)
    way.close()
    return len(found) + len(slow.put_off)


def main():
    url = os.environ["ISCSI_URL"]
    config, dialect, suite = provisioning.read(sys.argv[1])
    count = all_cases(url, config, dialect, suite) if dialect is R3 else limits(url, config, dialect, suite)
    print(f"{count} sense data in descriptor format, as the documents have them and by their assigned names")


if __name__ == "__main__":
    main()
