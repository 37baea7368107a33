"""The cost of masks from 1k to 32k tokens: ours and the floor, one head, in place, for masks of different shares."""

import dataclasses
import json

import numpy as np

import cases
import ours
from turns import Contender, Failure, progress, take_turns

TOKENS = [1 << power for power in range(10, 16)]
BLOCK = 1024  # rows that are compared with the oracle at a time: a mask of 32k tokens is large
COLOURS = {"causal": "#e8813a", "window of 1024": "#3b8eea", "a wide window, 98 % kept": "#3fa66b"}
INK = "#808890"  # legible on white and on black


@dataclasses.dataclass
class WideCase(cases.Case):
    """Each token sees `reach` to each side."""

    reach: int = 0

    @property
    def spec(self):
        spec = json.loads(super().spec)
        layer = spec["layers"][0]
        layer["type"] = "ApplyBidirectionalWindowAttentionMask"
        layer["window_left"] = layer["window_right"] = self.reach
        del layer["sliding_window_size"]
        return json.dumps(spec)

    def keep(self):
        query = self.spread(self.query_positions, "seq")
        key = self.spread(self.kv_positions, "kv_seq")
        return (np.abs(query - key) <= self.reach) & (key >= 0)


def masks(tokens):
    axes, sizes = ("heads", "seq", "kv_seq"), {"heads": 1, "seq": tokens, "kv_seq": tokens}
    return {
        "causal": cases.Case("curve", axes, sizes, window=None),
        "window of 1024": cases.Case("curve", axes, sizes),
        "a wide window, 98 % kept": WideCase("curve", axes, sizes, reach=tokens * 7 // 8),
    }


def masked_count(library, case, result, source):
    """How many elements the oracle masks. Raises Failure for a result that differs."""
    count = 0
    for first in range(0, case.sizes["seq"], BLOCK):
        rows = slice(first, first + BLOCK)
        block = dataclasses.replace(case, name=f"{case.name}, rows from {first}", sizes=case.sizes | {"seq": BLOCK},
                                    query_positions=case.query_positions[rows])
        problem = library.check(block, "ours", result[:, rows], source)
        if problem:
            raise Failure(problem)
        count += block.keep().size - int(np.count_nonzero(block.keep()))
    return count


def measure_curve(library, seconds):
    """A point for each number of tokens and each mask."""
    memory = np.empty(TOKENS[-1] ** 2, np.uint32)
    pattern = np.random.default_rng(5).standard_normal(TOKENS[-1], np.float32).view(np.uint32)
    points = []
    for tokens in TOKENS:
        logits = memory[: tokens**2].reshape(1, tokens, tokens)
        source = np.broadcast_to(pattern[:tokens], (1, BLOCK, tokens))
        for name, case in masks(tokens).items():
            progress(f"curve: {tokens} tokens, {name}")
            logits[:] = pattern[:tokens]
            call = ours.Call(library, case, logits, logits)
            call.time(1)
            masked = masked_count(library, case, logits, source)
            contenders = [Contender(call.variants()[0], call.time, kind="ours"),
                          Contender("floor", call.time_floor, kind="floor", says=call.make_floor(ours.FILL))]
            take_turns(f"curve: {tokens} tokens, {name}", contenders, tokens <= 2048, seconds / 2)
            call.close()
            points.append({"tokens": tokens, "mask": name, "elements": tokens**2, "masked_bytes": 4 * masked,
                           "ours_ms": contenders[0].median, "floor_ms": contenders[1].median,
                           "best": {"ours_ms": contenders[0].best, "floor_ms": contenders[1].best}})
    return points


def draw(points, path, machine):
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({
        "svg.fonttype": "none", "svg.hashsalt": "axismask", "font.family": "sans-serif", "font.size": 11,
        "text.color": INK, "axes.edgecolor": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK,
        "font.sans-serif": ["Helvetica", "Arial", "DejaVu Sans"],
    })
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FuncFormatter

    figure, axes = plt.subplots(figsize=(7.6, 4.8), layout="constrained")
    axes.scatter([point["masked_bytes"] for point in points], [point["floor_ms"] for point in points], color=INK, s=70,
                 marker="_", zorder=4, label="the floor: stores to the masked bytes, no more")
    for name, colour in COLOURS.items():
        own = [point for point in points if point["mask"] == name]
        axes.plot([point["masked_bytes"] for point in own], [point["ours_ms"] for point in own], color=colour,
                  linewidth=1, alpha=0.45, zorder=2)
        axes.scatter([point["masked_bytes"] for point in own], [point["ours_ms"] for point in own], color=colour, s=34,
                     zorder=3, label=name)
        for point in (own[0], own[-1]):
            axes.annotate(f"{point['tokens'] // 1024}k", (point["masked_bytes"], point["ours_ms"]), fontsize=9,
                          textcoords="offset points", xytext=(-6, 4), ha="right", color=colour)
    axes.set(xscale="log", yscale="log", xlabel="bytes masked", ylabel="ms")
    axes.set_title("A mask costs what it masks: one head, float32, in place, 1k to 32k tokens", fontsize=12, loc="left")

    def size(number, _):
        for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
            if number >= unit:
                return f"{number / unit:g} {name}"
        return f"{number:g} B"

    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(FuncFormatter(size))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda number, _: f"{number:g}"))
    axes.grid(color=INK, alpha=0.18, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=9.5, loc="upper left")
    axes.annotate(machine, (1, 0), xycoords="axes fraction", xytext=(-4, 6), textcoords="offset points", ha="right",
                  fontsize=8)
    figure.savefig(path, transparent=True, metadata={"Date": None})
