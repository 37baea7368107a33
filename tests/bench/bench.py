"""bench.py LIBRARY [options]: ours beside its peers and its floor, interleaved, on the same arrays in one process.

`scripts/bench` builds the library, fills the virtual environment and runs this; its --help lists the options.
The first call of each contender is compared with the oracle, bit for bit; ours or a floor that differs fails the run.
Then the contenders take turns. The table has the best and the median of each one's turns, and its ratio to the floor
and to ours: the median, over the rounds, of the ratio of the two turns within a round. Memory is shared with whatever
else the machine does, so one round may have twice the bandwidth of the next, and a ratio of two bests may compare two
different machines.
"""

import argparse
import json
import os
import pathlib
import sys

SECONDS = 2.0


def parse(arguments):
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__.split("\n")[0].split(": ")[1],
                                     epilog="Without --case: all cases. The first run installs torch, which is large.")
    parser.add_argument("shared_object", metavar="library", help=argparse.SUPPRESS)
    parser.add_argument("--case", action="append", metavar="NAME", help="measure this case; may be repeated")
    parser.add_argument("--list", action="store_true", help="list the cases")
    parser.add_argument("--variant", action="append", metavar="NAME",
                        help="measure this variant of our kernels (avx2, say) and not all; may be repeated")
    parser.add_argument("--threads", type=int, metavar="N", help="processors for ours and all others; default: all")
    parser.add_argument("--seconds", type=float, default=SECONDS, metavar="S",
                        help=f"for each contender of a case; default: {SECONDS:g}")
    parser.add_argument("--json", metavar="FILE", help="write the figures there too")
    parser.add_argument("--no-cases", action="store_true", help="with --curve or --attention-curve: only that")
    parser.add_argument("--attention-curve", metavar="FILE.svg", help="measure attention over 8k to 128k tokens and draw it")
    parser.add_argument("--curve", metavar="FILE.svg", help="measure the cost of 1k to 32k tokens and draw it")
    return parser.parse_args(arguments)


# The number of processors stands before NumPy, torch and XLA are loaded: each asks how many there are, once.
options = parse(sys.argv[1:])
usable = sorted(os.sched_getaffinity(0))
if options.threads:
    if not 1 <= options.threads <= len(usable):
        sys.exit(f"--threads {options.threads}: this process may use 1 to {len(usable)} processors")
    os.sched_setaffinity(0, usable[: options.threads])
threads = options.threads or len(usable)

import attention
import cases
import masks
import ours
import targets
from curve import draw, measure_curve
from measure import PLANS, Arrays, measure_case, measure_dispatch, measure_plan
from report import machine, print_head, print_row, versions
from turns import Failure, progress


def main():
    apply_cases = {case.name: case for case in cases.all_cases()}
    names = [*apply_cases, "dynamic_dispatch", *PLANS, *masks.NAMES, *attention.BY_NAME]
    if options.list:
        print("\n".join(names))
        return 0
    busy = os.getloadavg()[0]
    unknown = [name for name in options.case or [] if name not in names]
    if unknown:
        sys.exit(f"no case is called {', '.join(unknown)}; there are {', '.join(names)}")
    chosen = [name for name in names if not options.no_cases and (not options.case or name in options.case)]

    library = ours.Library(options.shared_object, threads)
    arrays = Arrays(max([apply_cases[name].nbytes for name in chosen if name in apply_cases] + [1 << 16]))
    print(machine(threads) + "; " + ", ".join(f"{name} {number}" for name, number in versions().items()))
    if busy > 0.2 * len(usable):
        print(f"Other programs keep {busy:.1f} processors busy: expect noise")
    if chosen:
        print_head()
    rows, failures = [], []
    for name in chosen:
        try:
            if name in apply_cases:
                row = measure_case(library, arrays, apply_cases[name], options.variant, options.seconds)
            elif name == "dynamic_dispatch":
                row = measure_dispatch(library, arrays, options.variant, options.seconds)
            elif name in masks.NAMES:
                row = masks.measure(library, name, options.seconds)
            elif name in attention.BY_NAME:
                row = attention.measure(library, attention.BY_NAME[name], options.seconds)
            else:
                row = measure_plan(library, name, options.seconds)
        except Failure as failure:
            failures.append(str(failure))
            continue
        progress("")
        rows.append(row)
        print_row(row)

    curve = None
    if options.curve:
        del arrays
        try:
            curve = measure_curve(library, options.seconds)
            draw(curve, options.curve, machine(threads))
        except Failure as failure:
            failures.append(str(failure))

    long = None
    if options.attention_curve:
        try:
            long = attention.measure_long(library, options.seconds)
            attention.draw_long(long, options.attention_curve, machine(threads))
        except Failure as failure:
            failures.append(str(failure))

    verdicts = targets.verdicts({row["case"]: row for row in rows}, curve, long)
    print("\nTargets")
    for verdict in verdicts:
        print(f"  {'pass' if verdict['passed'] else 'FAIL'}  {verdict['target']}: {verdict['found']}")
    if options.json:
        report = {"machine": machine(threads), "threads": threads, "busy_processors": busy, "versions": versions(),
                  "rows": rows, "targets": verdicts, "curve": curve, "attention_curve": long, "failures": failures}
        pathlib.Path(options.json).write_text(json.dumps(report, indent=1) + "\n")
    for failure in failures:
        print(f"NOT THE ORACLE'S RESULT: {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
