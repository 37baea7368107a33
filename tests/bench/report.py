"""What was measured, as rows of the JSON file and as the printed table."""

import os
import pathlib
import platform
import sys
from importlib.metadata import PackageNotFoundError, version


def row_of(name, contenders):
    """A row of the JSON file. `*_ms` and `peers` are the best times, in milliseconds."""
    own = [one for one in contenders if one.facts["kind"] == "ours"]
    floors = [one for one in contenders if one.facts["kind"] == "floor"]
    peers = [one for one in contenders if one.facts["kind"] == "peer"]
    return {
        "case": name,
        "ours_ms": own[0].best,
        "floor_ms": floors[0].best if floors else None,
        "peers": {peer.name: peer.best for peer in peers},
        "median": {
            "ours_ms": own[0].median,
            "floor_ms": floors[0].median if floors else None,
            "peers": {peer.name: peer.median for peer in peers},
        },
        "ratios": {
            "ours_to_floor": own[0].ratio_to(floors[0]) if floors else None,
            "peers_to_ours": {peer.name: peer.ratio_to(own[0]) for peer in peers},
            "peers_to_floor": {peer.name: peer.ratio_to(floors[0]) for peer in peers} if floors else {},
        },
        "allocates_result": {peer.name: peer.facts["allocates"] for peer in peers},
        "differs": {peer.name: peer.facts["differs"] for peer in peers if peer.facts["differs"]},
        "variant": own[0].name,
        "variants": {
            one.name: {
                "best_ms": one.best,
                "median_ms": one.median,
                "to_floor": one.ratio_to(floors[0]) if floors else None,
                "to_ours": one.ratio_to(own[0]),
            }
            for one in own
        },
        "floor": floors[0].facts["says"] if floors else None,
        "says": {peer.name: peer.facts["says"] for peer in peers if peer.facts["says"]},
        "turns": {one.name: len(one.by_round) for one in contenders},
    }


def print_head():
    print(f"\n  {'':28}{'best ms':>12}{'median ms':>12}{'/ floor':>10}{'/ ours':>10}")


def print_row(row):
    """One block of the table."""
    milliseconds = lambda number: f"{number:12.4f}" if number < 1 else f"{number:12.2f}"
    ratio = lambda number: f"{number:10.2f}" if number is not None else f"{'':10}"
    ratios = row["ratios"]

    def line(name, best, median, to_floor, to_ours, says=""):
        times = milliseconds(best) + milliseconds(median) + ratio(to_floor) + ratio(to_ours)
        print(f"  {name:28}{times}  {says}".rstrip())

    print(row["case"])
    for name, one in row["variants"].items():
        line("ours" if name in ("plan", "mask", "spans", "flex", "attend") else f"ours, {name}", one["best_ms"], one["median_ms"], one["to_floor"],
             one["to_ours"])
    if row["floor_ms"]:
        line("floor", row["floor_ms"], row["median"]["floor_ms"], 1, 1 / ratios["ours_to_floor"], row["floor"])
    for name, best in sorted(row["peers"].items(), key=lambda item: item[1]):
        says = ["allocates its result"] if row["allocates_result"][name] else []
        says += [row["says"][name]] if name in row["says"] else []
        says += ["DIFFERS: " + row["differs"][name]] if name in row["differs"] else []
        line(name, best, row["median"]["peers"][name], ratios["peers_to_floor"].get(name),
             ratios["peers_to_ours"][name], "; ".join(says))
    if "over_direct_ns" in row:
        print(f"  {row['over_direct_ns']:.0f} ns over the direct call")
    sys.stdout.flush()


def machine(threads):
    info = pathlib.Path("/proc/cpuinfo").read_text()
    models = [line.split(":")[1].strip() for line in info.splitlines() if line.startswith("model name")]
    return f"{models[0] if models else platform.processor()}, {threads} of {os.cpu_count()} processors"


def versions(names=("penzai", "jax", "torch", "transformers", "numpy")):
    """Of those that are installed."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            pass
    return found
