"""block_mask.py PLAN_BENCH: our tile plans beside torch's `create_block_mask`: the same tiles, and the time of each.

Causal window of 1024, tiles of 128 x 128. Needs torch, which is large: no part of scripts/test.
"""

import json
import statistics
import subprocess
import sys
import time

import torch
from torch.nn.attention.flex_attention import create_block_mask

WINDOW = 1024
COMPARED = [1024, 4096, 8192]
OURS_ONLY = [65536, 1 << 20]  # torch's dense mask of 65536 tokens has 4 GiB


def keep(batch, head, query, key):
    return (query >= key) & (query - key < WINDOW)


def rows(counts, indices):
    return [sorted(indices[row, : counts[row]].tolist()) for row in range(len(counts))]


def our_rows(plan, kind):
    starts, tiles = plan[f"{kind}_starts"], plan[f"{kind}_tiles"]
    return [tiles[first:last] for first, last in zip(starts, starts[1:])]


def main():
    ours = json.loads(subprocess.run([sys.argv[1], *map(str, COMPARED + OURS_ONLY)], check=True, capture_output=True).stdout)
    print(f"{'tokens':>8}  {'ours ms: best':>13}  {'median':>9}  {'torch ms: best':>14}  {'median':>9}  {'ratio of medians':>16}")
    for plan in ours:
        tokens = plan["tokens"]
        line = f"{tokens:8}  {plan['best_ms']:13.4f}  {plan['median_ms']:9.4f}"
        if tokens in COMPARED:
            times = []
            for _ in range(7):
                start = time.perf_counter()
                mask = create_block_mask(keep, None, None, tokens, tokens, device="cpu", BLOCK_SIZE=128)
                times.append(1e3 * (time.perf_counter() - start))
            assert our_rows(plan, "full") == rows(mask.full_kv_num_blocks[0, 0], mask.full_kv_indices[0, 0])
            assert our_rows(plan, "partial") == rows(mask.kv_num_blocks[0, 0], mask.kv_indices[0, 0])
            median = statistics.median(times)
            line += f"  {min(times):14.2f}  {median:9.2f}  {median / plan['median_ms']:16.0f}"
        print(line)
    print(f"torch {torch.__version__}: the same full and partial tiles for {COMPARED} tokens")


if __name__ == "__main__":
    main()
