"""gpu.py LIBRARY [options]: ours on a device beside its peers and the device's own fill or copy, interleaved.

`scripts/bench-gpu` builds the library, fills a virtual environment and runs this; its --help lists the options. Each
case is measured in place and out of place. The logits are in the device's memory, in so many copies that together they
exceed its last cache twice, and a round is one call on each copy. Ours has its positions in the host's memory, as the
engine that schedules the prompts has them; the peers have them on the device. Before anything is timed, each
contender's result is compared, bit for bit, with ours of the processor, and that with the oracle.

A case's floor is the device's own work of the same size. In place, it fills as many bytes as are masked. Out of place,
it copies: as many bytes are read and written together as are kept (and read) or in the result (and written). Where the
keys stand in no order, everything is read and written, in place, too.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import sys

import numpy as np

import cases
import ours
from devices import Entrant, OpenCl, our_rounds
from report import machine, versions
from turns import Contender, Failure, progress, take_turns

SECONDS = 1.0
TURN_NS = 20_000_000  # so long that an event's own microseconds do not count
SHARE = 0.85  # of the floor's bandwidth, which is the target


def parse(arguments):
    parser = argparse.ArgumentParser(prog="scripts/bench-gpu", description=__doc__.split("\n")[0].split(": ")[1],
                                     epilog="Without --case: all cases that fit the device's memory.")
    parser.add_argument("shared_object", metavar="library", help=argparse.SUPPRESS)
    parser.add_argument("--device", choices=("cuda", "opencl", "cpu"), default="cuda",
                        help="default: cuda. opencl has no peers; cpu is a rehearsal without a card")
    parser.add_argument("--case", action="append", metavar="NAME", help="measure this case; may be repeated")
    parser.add_argument("--list", action="store_true", help="list the cases")
    parser.add_argument("--quick", action="store_true", help="try everything out on small arrays; no figure is of use")
    parser.add_argument("--seconds", type=float, metavar="S",
                        help=f"for each contender of a case; default: {SECONDS:g}, with --quick as few as possible")
    parser.add_argument("--json", metavar="FILE", help="write the figures there too")
    return parser.parse_args(arguments)


class DoesNotFit(Exception):
    """The device has too little memory for a case."""


def device_cases(quick):
    """Each case in place and out of place, by name."""
    found = {}
    for case in cases.all_cases(shrink=8 if quick else 1):
        in_place, out_of_place = case.name, case.name.replace("_inplace", "_out")
        if out_of_place == in_place and case.in_place:
            out_of_place += "_out"
        if case.in_place:
            found[in_place] = case
        found[out_of_place] = dataclasses.replace(case, name=out_of_place, in_place=False)
    return found


def work_of(case):
    """The device's own work that is like the case's, and the bytes that a call must move."""
    if case.worst:
        return "copy", 2 * case.nbytes
    keep = case.keep()
    masked = (keep.size - int(np.count_nonzero(keep))) * (case.nbytes // keep.size)
    return ("fill", masked) if case.in_place else ("copy", 2 * case.nbytes - masked)


def logits_of(case):
    bits = np.random.default_rng(11).standard_normal(case.shape, np.float32).view(np.uint32)
    return bits if case.item_bytes == 4 else (bits >> 16).astype(np.uint16)


def masked_by_processor(library, case, source):
    """What the processor makes of the logits, and the oracle agrees with."""
    result = source.copy()
    call = ours.Call(library, case, result if case.in_place else source, result)
    call.use_device("cpu")
    call.time(1)
    call.close()
    problem = library.check(case, "ours, on the processor", result, source)
    if problem:
        raise Failure(problem)
    return result


def difference(library, case, name, result, want, source):
    """What is wrong with a result; None when it has the bits of the processor's."""
    if np.array_equal(result, want):
        return None
    return library.check(case, name, result, source) or f"{case.name}: {name}: not the bits of the processor's result"


def one_line(problem):
    """Of an exception."""
    lines = str(problem).strip().splitlines() or [""]
    return f"{type(problem).__name__}: {lines[0]}"


def measure(library, device, case, seconds, quick):
    kind, nbytes = work_of(case)
    # A call touches at least half as many different bytes as it moves.
    copies = 2 if quick else max(1, -(-4 * device.cache_bytes // nbytes))
    arrays = 1 if case.in_place else 2
    # Ours and torch share arrays, jax has its own, a peer may allocate results, and the floor has its arrays.
    needed = copies * (2 * arrays * case.nbytes + nbytes) + 2 * case.nbytes
    if needed > device.free_bytes():
        raise DoesNotFit(f"{case.name} needs {needed >> 20} MiB, and {device.free_bytes() >> 20} MiB are free")

    source = logits_of(case)
    want = masked_by_processor(library, case, source)
    logits = [device.array(source) for _ in range(copies)]
    out = logits if case.in_place else [device.array(source) for _ in range(copies)]
    poison = ~source

    def renew():
        out[0].write(poison)
        logits[0].write(source)

    def our_entrant(name, with_plan):
        rounds = our_rounds(device, library, case, logits, out, with_plan)

        def result():
            renew()
            rounds.time(1)
            return out[0].read()

        return Entrant(name, "ours", rounds.time, device.nanoseconds, result), rounds

    own, own_rounds = zip(our_entrant("ours", False), our_entrant("ours_with_plan", True))
    contenders, left_out = [], {}

    def enter(entrant):
        wrong = None
        if entrant.result:
            progress(f"{case.name}: checking {entrant.name}")
            wrong = difference(library, case, entrant.name, entrant.result(), want, source)
            if wrong and entrant.kind == "ours":
                raise Failure(wrong)
        contenders.append(Contender(
            entrant.name, entrant.time, copies, kind=entrant.kind, allocates=entrant.allocates, says=entrant.says,
            nbytes=entrant.nbytes or nbytes, differs=wrong))

    def check_copies(when):
        for copy, array in enumerate(out):
            wrong = difference(library, case, f"copy {copy} {when}", array.read(), want, source)
            if wrong:
                raise Failure(wrong)

    for entrant in own:
        enter(entrant)
    check_copies("after ours")
    enter(device.floor(kind, nbytes, copies))
    # Whatever keeps a peer from running here: the run goes on without it and says so.
    for make in device.peers(case, source, logits, out, renew):
        try:
            entrants = make()
        except Exception as problem:
            left_out[make.__name__] = one_line(problem)
            continue
        for entrant in entrants:
            try:
                enter(entrant)
            except Exception as problem:
                left_out[entrant.name] = one_line(problem)

    take_turns(case.name, contenders, True, seconds, 0 if quick else TURN_NS)
    check_copies("after all turns")
    for rounds in own_rounds:
        rounds.close()
    return row_of(case, kind, nbytes, copies, contenders, left_out)


def row_of(case, kind, nbytes, copies, contenders, left_out):
    """A row of the JSON file."""
    floor = next(one for one in contenders if one.facts["kind"] == "floor")
    own = [one for one in contenders if one.facts["kind"] == "ours"]
    return {
        "case": case.name,
        "floor": kind,
        "bytes": nbytes,
        "copies": copies,
        "contenders": {
            one.name: {
                "kind": one.facts["kind"],
                "best_ms": one.best,
                "median_ms": one.median,
                "best_gb_per_s": one.facts["nbytes"] / one.best / 1e6,
                "median_gb_per_s": one.facts["nbytes"] / one.median / 1e6,
                # The median, over the rounds, of the two bandwidths within a round.
                "share_of_floor": one.facts["nbytes"] / floor.facts["nbytes"] / one.ratio_to(floor),
                **{f"to_{ours.name}": one.ratio_to(ours) for ours in own},
                "turns": len(one.by_round),
                "calls_per_turn": one.calls * copies,
                "allocates_result": one.facts["allocates"],
                "differs": one.facts["differs"],
                "says": one.facts["says"],
            }
            for one in contenders
        },
        "left_out": left_out,
    }


def print_row(row):
    print(f"{row['case']}: {row['bytes'] / 2**20:.1f} MiB "
          f"{'masked' if row['floor'] == 'fill' else 'read and written'}, copies: {row['copies']}")
    for name, one in row["contenders"].items():
        says = [one["says"]] if one["says"] else []
        says += ["allocates its result"] if one["allocates_result"] else []
        says += ["DIFFERS: " + one["differs"]] if one["differs"] else []
        print(f"  {name:28}{one['best_ms']:11.4f}{one['median_ms']:11.4f}{one['median_gb_per_s']:10.1f}"
              f"{100 * one['share_of_floor']:9.1f}{one['to_ours']:9.2f}  {'; '.join(says)}".rstrip())
    for name, why in row["left_out"].items():
        print(f"  {name:28}left out: {why}")
    sys.stdout.flush()


def verdicts(rows):
    found = []
    for row in rows:
        peers = {name: one for name, one in row["contenders"].items() if one["kind"] == "peer"}
        for name in ("ours", "ours_with_plan"):
            what = row["case"] + (" with a plan" if name != "ours" else "")
            share = row["contenders"][name]["share_of_floor"]
            found.append({"target": f"{what}: at least {SHARE:.0%} of the bandwidth of a {row['floor']}",
                          "passed": share >= SHARE, "found": f"{share:.1%}"})
            if peers:
                peer = min(peers, key=lambda peer: peers[peer][f"to_{name}"])
                ratio = peers[peer][f"to_{name}"]
                found.append({"target": f"{what}: no peer faster", "passed": ratio >= 1,
                              "found": f"{peer} takes {ratio:.2f} times as long"})
    return found


def bandwidth(device, kind, quick):
    """GB/s of the device's own work on a large array; the best of several."""
    floor = device.floor(kind, 1 << (24 if quick else 30), 1)
    return max(floor.nbytes / floor.time(1) for _ in range(3 if quick else 20))


def open_device(library, name):
    if name == "opencl":
        return OpenCl(library)
    from torch_device import TorchDevice

    return TorchDevice(name)


def main():
    options = parse(sys.argv[1:])
    chosen = device_cases(options.quick)
    if options.list:
        print("\n".join(chosen))
        return 0
    unknown = [name for name in options.case or [] if name not in chosen]
    if unknown:
        sys.exit(f"no case is called {', '.join(unknown)}; there are {', '.join(chosen)}")
    seconds = options.seconds if options.seconds is not None else 0 if options.quick else SECONDS
    threads = len(os.sched_getaffinity(0))
    library = ours.Library(options.shared_object, threads)
    problem = library.device_problem(options.device) if options.device != "cpu" else ""
    if problem:
        print(f"axismask: \"{options.device}\" cannot be used here: {problem}", file=sys.stderr)
        return 2

    device = open_device(library, options.device)
    installed = versions(("torch", "jax", "penzai", "numpy"))
    print(f"{device.says}; clock: {device.clock}\n{machine(threads)}; "
          + ", ".join(f"{name} {number}" for name, number in installed.items()))
    if options.quick:
        print("Small arrays and few turns: no figure is of use")
    own = {kind: bandwidth(device, kind, options.quick) for kind in ("fill", "copy")}
    print(f"The device by itself: fills {own['fill']:.1f} GB/s, copies {own['copy']:.1f} GB/s (read and written)")
    print(f"\n  {'':28}{'best ms':>11}{'median ms':>11}{'GB/s':>10}{'% floor':>9}{'/ ours':>9}")
    rows, skipped, failures = [], {}, []
    for name, case in chosen.items():
        if options.case and name not in options.case:
            continue
        device.release()
        try:
            rows.append(measure(library, device, case, seconds, options.quick))
        except DoesNotFit as why:
            skipped[name] = str(why)
            print(f"skipped: {why}")
            continue
        except Failure as failure:
            failures.append(str(failure))
            continue
        progress("")
        print_row(rows[-1])

    targets = verdicts(rows)
    print("\nTargets, which are a card's")
    for verdict in targets:
        print(f"  {'pass' if verdict['passed'] else 'FAIL'}  {verdict['target']}: {verdict['found']}")
    if options.json:
        report = {"device": device.says, "clock": device.clock, "machine": machine(threads), "versions": installed,
                  "quick": options.quick, "cache_bytes": device.cache_bytes, "gb_per_s": own, "rows": rows,
                  "skipped": skipped, "targets": targets, "failures": failures}
        pathlib.Path(options.json).write_text(json.dumps(report, indent=1) + "\n")
    for failure in failures:
        print(f"NOT THE PROCESSOR'S RESULT: {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
