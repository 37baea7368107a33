"""Masks by themselves, spans, and plans as torch takes them: ours beside the floor and what others make of the same.

The floor of a mask writes as many bytes: that of a call that masks every logit of an array of that size.
"""

import time

import numpy as np

import cases
import ours
from report import row_of
from turns import Contender, Failure, progress, take_turns

TOKENS, WINDOW, TILE = 4096, 1024, 128
MASKS = {"mask_bool": np.bool_, "mask_f16": np.float16}
NAMES = [*MASKS, "spans_1m", "block_mask_4k"]


def peer(name, make, says="", differs=None):
    def timed(calls):
        start = time.perf_counter_ns()
        for _ in range(calls):
            result = make()
        end = time.perf_counter_ns()
        del result
        return end - start

    return Contender(name, timed, kind="peer", allocates=True, differs=differs, says=says)


def floor_of(library, size):
    """The call whose floor writes that many bytes, all of them, and the memory that it writes."""
    memory = np.ones((1, size // 4), np.uint32)
    nowhere = np.full(size // 4, -1)
    case = cases.Case("floor", ("seq", "kv_seq"), {"seq": 1, "kv_seq": size // 4}, WINDOW,
                      query_positions=np.array([0]), kv_positions=nowhere)
    call = ours.Call(library, case, memory, memory)
    return call, call.make_floor(ours.FILL), memory


def mask_peers(dtype):
    """What makes the same mask: transformers' functions as it calls them, torch compiled, NumPy."""
    import torch
    from transformers.masking_utils import eager_mask, sdpa_mask, sliding_window_causal_mask_function

    from peer_torch import compile

    keep = sliding_window_causal_mask_function(WINDOW)
    positions = torch.arange(TOKENS, dtype=torch.int32)
    query, key = positions[:, None], positions[None, :]
    steps = np.arange(TOKENS, dtype=np.int32)

    def kept(query, key):
        return (query >= key) & (query - key < WINDOW)

    if dtype is np.bool_:
        compiled = compile(kept)
        return {
            "transformers_sdpa_mask": lambda: sdpa_mask(1, TOKENS, TOKENS, mask_function=keep,
                                                        allow_is_causal_skip=False)[0, 0],
            "torch_compile": lambda: compiled(query, key),
            "numpy": lambda: kept(steps[:, None], steps[None, :]),
        }
    zero = torch.tensor(0, dtype=torch.float16)
    masked = torch.tensor(-float("inf"), dtype=torch.float16)
    compiled = compile(lambda query, key: torch.where(kept(query, key), zero, masked))
    return {
        "transformers_eager_mask": lambda: eager_mask(1, TOKENS, TOKENS, mask_function=keep,
                                                      dtype=torch.float16)[0, 0],
        "torch_compile_where": lambda: compiled(query, key),
        "numpy_where": lambda: np.where(kept(steps[:, None], steps[None, :]), np.float16(0), np.float16("-inf")),
    }


def measure_mask(library, name, seconds):
    dtype = MASKS[name]
    case = cases.plan_case(name, TOKENS)
    call = ours.call_without_logits(library, case)
    out = np.ones(case.shape, dtype)
    kept = np.broadcast_to(case.keep(), case.shape)
    want = kept if dtype is np.bool_ else np.where(kept, dtype(0), dtype("-inf"))
    call.time_mask(out, 1)
    if not np.array_equal(out, want):
        raise Failure(f"{name}: ours differs from the formula at {np.argwhere(out != want)[0].tolist()}")
    floor, works, _ = floor_of(library, out.nbytes)
    contenders = [
        Contender("mask", lambda calls: call.time_mask(out, calls), kind="ours"),
        Contender("floor", floor.time_floor, kind="floor", says=f"as many bytes, {works}"),
    ]
    for peer_name, make in mask_peers(dtype).items():
        progress(f"{name}: checking {peer_name}")
        found = np.asarray(make())
        # transformers' additive mask has the dtype's lowest number where others have -inf.
        same = np.array_equal(found, want) or np.array_equal(found, np.where(kept, dtype(0), np.finfo(np.float16).min))
        contenders.append(peer(peer_name, make, differs=None if same else "it is another mask"))
    take_turns(name, contenders, False, seconds)
    call.close()
    floor.close()
    return row_of(name, contenders)


def measure_spans(library, name, seconds):
    tokens = 1 << 20
    case = cases.plan_case(name, tokens)
    call = ours.call_without_logits(library, case)
    begins, ends = call.spans(tokens)
    query = np.arange(tokens)
    if not (np.array_equal(begins, np.maximum(query - case.window + 1, 0)) and np.array_equal(ends, query + 1)):
        raise Failure(f"{name}: the spans are not the window's")
    contenders = [Contender("spans", call.time_spans, kind="ours")]
    take_turns(name, contenders, False, seconds)
    call.close()
    return row_of(name, contenders)


def measure_block_mask(library, name, seconds):
    from torch.nn.attention.flex_attention import create_block_mask

    case = cases.plan_case(name, TOKENS)
    call = ours.call_without_logits(library, case)
    tiles = TOKENS // TILE

    def keep(batch, head, query, key):
        return (query >= key) & (query - key < case.window)

    def make():
        return create_block_mask(keep, None, None, TOKENS, TOKENS, device="cpu", BLOCK_SIZE=TILE)

    progress(f"{name}: checking create_block_mask")
    mask = make()
    for counts, indices in (("kv_num_blocks", "kv_indices"), ("full_kv_num_blocks", "full_kv_indices")):
        found = call.form_array("flex", TILE, counts, (tiles,))
        listed = call.form_array("flex", TILE, indices, (tiles, tiles))
        for row, count in enumerate(getattr(mask, counts)[0, 0].tolist()):
            if count != found[row] or listed[row, :count].tolist() != getattr(mask, indices)[0, 0, row, :count].tolist():
                raise Failure(f"{name}: {indices} differ in row {row}")
    contenders = [
        Contender("flex", lambda calls: call.time_form("flex", TILE, calls), kind="ours"),
        peer("torch_create_block_mask", make),
    ]
    take_turns(name, contenders, False, seconds)
    call.close()
    return row_of(name, contenders)


def measure(library, name, seconds):
    if name in MASKS:
        return measure_mask(library, name, seconds)
    return (measure_spans if name == "spans_1m" else measure_block_mask)(library, name, seconds)
