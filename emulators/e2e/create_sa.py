#!/usr/bin/env python3
"""Creates an association with a logical unit over iSCSI and deletes it, or leaves it.

    create_sa.py URL PROVISIONING [--key-log FILE] [--keep] [--times N]
"""
import argparse
import sys

import provisioning
from ikev2_scsi import Initiator, PeerFault, Refused
from transports import Iscsi, TransportError


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="iscsi://server:port/target/lun")
    parser.add_argument("provisioning", help="who we are and whom we know")
    parser.add_argument("--key-log", help="write there the keys of the messages: whoever reads them reads and forges")
    parser.add_argument("--keep", action="store_true", help="do not delete the association")
    parser.add_argument("--times", type=int, default=1)
    return parser.parse_args()


def once(url, config, dialect, suite, log, keep):
    transport = Iscsi(url)
    initiator = Initiator(transport, config, dialect, log)
    association = initiator.create(suite)
    print(f"created {association.parameters['AC_SAI']} {association.parameters['DS_SAI']} with {suite}")
    if not keep:
        # From another I_T nexus, which the association is not bound to.
        other = transport.another()
        initiator.delete(other)
        other.close()
        try:
            initiator.delete(transport)
        except Refused as refused:
            print(f"deleted; again: {refused}")
        else:
            raise PeerFault("what was deleted is deleted again")
    transport.close()


def main():
    told = arguments()
    config, dialect, suite = provisioning.read(told.provisioning)
    log = open(told.key_log, "a") if told.key_log else None
    try:
        for _ in range(told.times):
            once(told.url, config, dialect, suite, log, told.keep)
    except (PeerFault, Refused, TransportError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
