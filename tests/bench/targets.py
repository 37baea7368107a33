"""What the figures must be: ratios within one run, as bench.py takes them."""

IN_PLACE = ["prefill_inplace_f32", "prefill_inplace_bf16", "ragged_inplace_f32", "chunked_prefill_f32",
            "global_causal_inplace_f32", "heads_innermost_f32"]


def verdicts(rows, curve, long=None):
    """`rows` by the names of their cases; a target whose case was not measured is left out."""
    found = []

    def judge(target, passed, says):
        found.append({"target": target, "passed": bool(passed), "found": says})

    def at_most(limit, name, what):
        if name in rows:
            ratio = rows[name]["ratios"]["ours_to_floor"]
            judge(f"{name} at most {limit:.2f} x {what}", ratio <= limit, f"{ratio:.2f}")

    def faster(limit, name, what, allocates=None):
        """Than the fastest peer, of those that do or do not make new memory for their results."""
        if name in rows:
            ratios = {peer: ratio for peer, ratio in rows[name]["ratios"]["peers_to_ours"].items()
                      if (allocates is None or rows[name]["allocates_result"][peer] == allocates)
                      and not (name.startswith("attend") and peer in rows[name]["differs"])}
            if not ratios:
                return
            peer = min(ratios, key=ratios.get)
            judge(f"{name} {what}", ratios[peer] >= limit, f"{ratios[peer]:.2f} x faster than {peer}")

    for name in ("prefill_inplace_f32", "prefill_out_f32", "prefill_inplace_bf16"):
        at_most(1.10, name, "its floor")
    for name in IN_PLACE:
        faster(1.3, name, "at least 1.3 x faster than the fastest peer")
    faster(5, "prefill_out_f32", "at least 5 x faster than the fastest peer that allocates its result", allocates=True)
    faster(1, "prefill_out_f32", "no slower than the fastest peer that does not", allocates=False)
    if {"prefill_inplace_f32", "prefill_inplace_bf16"} <= rows.keys():
        ratio = rows["prefill_inplace_bf16"]["median"]["ours_ms"] / rows["prefill_inplace_f32"]["median"]["ours_ms"]
        judge("bfloat16 takes half the time of float32 (at most 0.55)", ratio <= 0.55, f"{ratio:.2f}")
    at_most(1.25, "shuffled_inplace_f32", "a read-modify-write of everything")
    for name in ("decode_f32", "decode_batch_f32"):
        faster(1, name, "no slower than the fastest peer")
    if "dynamic_dispatch" in rows:
        over = rows["dynamic_dispatch"]["over_direct_ns"]
        judge("dynamic_dispatch less than 1 us over the direct kernel call", over < 1000, f"{over:.0f} ns")
    faster(2000, "plan_4k", "at least 2000 x faster than create_block_mask")
    if "plan_1m" in rows:
        taken = rows["plan_1m"]["median"]["ours_ms"]
        judge("plan_1m less than 1 s", taken < 1000, f"{taken:.1f} ms")
    for name in ("mask_bool", "mask_f16"):
        at_most(1.10, name, "its floor")
        faster(5, name, "at least 5 x faster than the fastest peer")
    if "spans_1m" in rows:
        taken = rows["spans_1m"]["median"]["ours_ms"]
        judge("spans_1m less than 100 ms", taken < 100, f"{taken:.1f} ms")
    faster(1000, "block_mask_4k", "at least 1000 x faster than create_block_mask")
    for name in ("attend_local_f32", "attend_local_gqa_f32", "attend_ragged_f32", "attend_chunked_prefill_f32"):
        at_most(1.35, name, "its floor")
        least = 2.4 if name == "attend_local_f32" else 2
        faster(least, name, f"at least {least:g} x faster than the fastest peer that computes the same mask")
    at_most(1.25, "attend_causal_f32", "its floor")
    faster(1, "attend_causal_f32", "faster than every peer")
    for name in ("attend_decode_f32", "attend_decode_batch_f32"):
        at_most(1.25, name, "its floor")
        faster(3, name, "at least 3 x faster than the fastest peer that computes the same mask")
    if {"attend_decode_f32", "attend_decode_bf16"} <= rows.keys():
        ratio = rows["attend_decode_bf16"]["median"]["ours_ms"] / rows["attend_decode_f32"]["median"]["ours_ms"]
        judge("bfloat16 decode takes at most 0.65 of float32's time", ratio <= 0.65, f"{ratio:.2f}")
    if curve:
        # Beyond the caches a masked byte costs the same whatever the size of the array and the share that is masked.
        costs = [point["ours_ms"] / point["masked_bytes"] for point in curve if point["masked_bytes"] >= 1 << 26]
        spread = max(costs) / min(costs)
        judge("cost grows with masked bytes, not elements: from 64 MiB of them up, a masked byte's cost is within a "
              "factor of 2", spread <= 2, f"{spread:.2f}")
    if long:
        costs = [point["ours_ms"] / point["tokens"] for point in long]
        spread = max(cost / costs[0] for cost in costs)
        judge("attend_long_f32 within 1.15 of linear from 8,192 to 131,072 tokens", spread <= 1.15, f"{spread:.2f}")
    return found
