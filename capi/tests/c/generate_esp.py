#!/usr/bin/env python3
"""ESP-SCSI descriptors under the associations of transcripts, by the Python package `cryptography`: writes esp.json beside itself.

    pip install cryptography==48.0.0
    python3 generate_esp.py

The layout is that of vectors/esp/generate.py, which shares no code with the crate; the keys are the transcripts'.
"""
import importlib.util
import json
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
VECTORS = HERE.parents[2] / "vectors"
NAMES = ["spc4-table82-row1", "spc4-table82-row2", "spc4-cbc128-sha1-modp2048-psk"]
FIRST = 1

specification = importlib.util.spec_from_file_location("generate", VECTORS / "esp" / "generate.py")
generate = importlib.util.module_from_spec(specification)
specification.loader.exec_module(generate)


def cases(name):
    sa = json.loads((VECTORS / "transcripts" / f"{name}.json").read_text(encoding="utf-8"))["sa"][0]
    usage = bytes.fromhex(sa["USAGE_DATA"])
    wanted = tuple(int.from_bytes(usage[at:end], "big") for at, end in ((0, 4), (4, 6), (6, 10)))
    suite = next(suite for suite in generate.SUITES if (suite[1], suite[2], suite[6]) == wanted)
    generate.AC_SAI, generate.DS_SAI = int(sa["AC_SAI"], 16), int(sa["DS_SAI"], 16)
    keymat = bytes.fromhex(sa["KEYMAT"])
    numbers = {"out": FIRST, "in": FIRST}
    for i, (flow, with_length) in enumerate([("out", True), ("in", True), ("out", False), ("in", False)]):
        last = numbers[flow]
        numbers[flow] += 1
        # Numbers of cases that are not foreign.
        yield generate.case(suite, keymat, flow, with_length, last, last + 1, 13 + 9 * i, 10 + i)


everything = {name: list(cases(name)) for name in NAMES}
assert all(case["built"] for name in NAMES for case in everything[name])
(HERE / "esp.json").write_text(json.dumps(everything, indent=1) + "\n", encoding="utf-8")
