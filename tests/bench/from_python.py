"""from_python.py [options]: calls from Python beside their peers, interleaved, in one process.

`scripts/bench --python` builds the package, fills the virtual environment and runs this. The first result of each contender
is compared with the others' before anything is timed. A case is a function of the seconds for each contender, which gives a
row of report.py; the modules below have them as CASES, and add what else is to be printed as "says".
"""

import argparse
import importlib.util
import json
import os
import pathlib
import sys

from report import machine, print_head, print_row, versions
from turns import Failure, progress

# Modules of cases, and the library without which a module is left out.
MODULES = {"from_python_core": "numpy", "from_python_jax": "penzai", "from_python_transformers": "torch"}
# What is aimed at: (case, peer, at least so many times as long as ours).
TARGETS = [("block_mask_4k", "create_block_mask", 500), ("block_mask_64k", "create_block_mask", 500),
           ("penzai_in_place", "penzai", 2)]


def parse(arguments, names):
    parser = argparse.ArgumentParser(prog="scripts/bench --python", description=__doc__.split("\n")[0].split(": ")[1])
    parser.add_argument("--case", action="append", metavar="NAME", choices=names, help="measure this case; may be repeated")
    parser.add_argument("--list", action="store_true", help="list the cases")
    parser.add_argument("--seconds", type=float, default=2.0, metavar="S", help="for each contender of a case; default: 2")
    parser.add_argument("--json", metavar="FILE", help="write the figures there too")
    return parser.parse_args(arguments)


def main(arguments):
    cases = {}
    for module, library in MODULES.items():
        if importlib.util.find_spec(library) is None:
            progress(f"{module}: left out, there is no {library}")
            continue
        cases |= importlib.import_module(module).CASES
    options = parse(arguments, list(cases))
    if options.list:
        print("\n".join(cases))
        return 0
    busy = os.getloadavg()[0]
    threads = len(os.sched_getaffinity(0))
    print(machine(threads) + "; " + ", ".join(f"{name} {number}" for name, number in versions().items()))
    if busy > 0.2 * threads:
        print(f"Other programs keep {busy:.1f} processors busy: expect noise")
    print_head()
    rows, failures = [], []
    for name in options.case or cases:
        try:
            rows.append(cases[name](options.seconds))
        except Failure as failure:
            failures.append(str(failure))
            continue
        progress("")
        print_row(rows[-1])

    by_name = {row["case"]: row for row in rows}
    found = [(case, peer, wanted, by_name[case]["ratios"]["peers_to_ours"][peer]) for case, peer, wanted in TARGETS
             if case in by_name and peer in by_name[case]["ratios"]["peers_to_ours"]]
    if found:
        print("\nTargets")
    for case, peer, wanted, ratio in found:
        print(f"  {'pass' if ratio >= wanted else 'FAIL'}  {case}: {peer} at least {wanted} times as long: {ratio:.0f}")
    if options.json:
        report = {"machine": machine(threads), "busy_processors": busy, "versions": versions(), "rows": rows,
                  "failures": failures}
        pathlib.Path(options.json).write_text(json.dumps(report, indent=1) + "\n")
    for failure in failures:
        print(f"NOT THE SAME RESULT: {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
