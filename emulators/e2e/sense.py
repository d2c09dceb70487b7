"""Sense data, and commands that end with them: SPC-4 4.5."""
from dataclasses import dataclass


@dataclass
class Sense:
    key: int
    asc: int
    ascq: int
    # (in the CDB?, byte, bit or None)
    pointer: tuple | None
    progress: int | None

    @staticmethod
    def parse(data):
        """SPC-4 4.5: fixed or descriptor format."""
        if len(data) >= 8 and data[0] & 0x7F in (0x72, 0x73):
            key, asc, ascq = data[1] & 15, data[2], data[3]
            specific, at = b"", 8
            while at + 2 <= len(data):
                if data[at] == 2:
                    specific = data[at + 4 : at + 7]
                at += 2 + data[at + 1]
        elif len(data) >= 14 and data[0] & 0x7F in (0x70, 0x71):
            key, asc, ascq, specific = data[2] & 15, data[12], data[13], data[15:18]
        else:
            return None
        pointer = progress = None
        if len(specific) == 3 and specific[0] & 0x80:
            value = int.from_bytes(specific[1:], "big")
            if key == 5:
                pointer = (bool(specific[0] & 0x40), value, specific[0] & 7 if specific[0] & 8 else None)
            elif key in (0, 2):
                progress = value
        return Sense(key, asc, ascq, pointer, progress)

    def __str__(self):
        text = f"sense key {self.key:X}h, {self.asc:02X}h/{self.ascq:02X}h"
        if self.pointer:
            in_cdb, byte, bit = self.pointer
            text += f", {'CDB' if in_cdb else 'parameter list'} byte {byte}" + ("" if bit is None else f" bit {bit}")
        if self.progress is not None:
            text += f", progress {self.progress * 100 / 65536:.2f} %"
        return text


class Refused(Exception):
    """A command ended otherwise than with GOOD."""

    def __init__(self, status, sense):
        self.status, self.raw, self.sense = status, sense, Sense.parse(sense)
        super().__init__(f"status {status:02X}h, {self.sense or sense.hex()}")
