"""Each case: its arrays, the comparison with the oracle, and the turns. Gives the rows of report.py."""

import numpy as np

import cases
import ours
from peers import Peer, all_peers
from report import row_of
from turns import Contender, Failure, progress, take_turns

PLANS = {"plan_4k": 4096, "plan_8k": 8192, "plan_64k": 65536, "plan_1m": 1 << 20}
TORCH_PLANS = ("plan_4k", "plan_8k")  # a dense mask of 64k tokens has 4 GiB, and torch makes several
TILE = 128


class Arrays:
    """Three arrays of bits, made once for the largest case: logits, the same for who works in place, and results."""

    def __init__(self, largest):
        self.memory = [self.touched(largest) for _ in range(3)]
        self.random = np.random.default_rng(11)

    @staticmethod
    def touched(size):
        """Memory that starts a page. All of its pages exist."""
        memory = np.empty(size + 4096, np.uint8)
        memory = memory[-memory.ctypes.data % 4096 :][:size]
        memory[:] = 1
        return memory

    def of(self, case):
        bits = np.uint32 if case.item_bytes == 4 else np.uint16
        source, work, out = (memory[: case.nbytes].view(bits).reshape(case.shape) for memory in self.memory)
        # A block whose length is prime, over and over: no two rows are alike.
        block = self.random.standard_normal(1_000_003, np.float32).view(np.uint32)
        block = block if bits == np.uint32 else (block >> 16).astype(np.uint16)
        flat = source.reshape(-1)
        for start in range(0, flat.size, block.size):
            flat[start : start + block.size] = block[: flat.size - start]
        np.copyto(work, source)
        return source, work, out


def fail_if(problem):
    if problem:
        raise Failure(problem)


def chosen_variants(call, wanted):
    """The variants to measure, best first."""
    variants = [name for name in call.variants() if not wanted or name in wanted]
    if not variants:
        raise SystemExit(f"--variant {' '.join(wanted)}: this machine runs {', '.join(call.variants())}")
    return variants


def measure_case(library, arrays, case, wanted, seconds):
    source, work, out = arrays.of(case)
    logits, target = (work, work) if case.in_place else (source, out)
    call = ours.Call(library, case, logits, target)

    def check(name, result, masked=cases.MASKED):
        return library.check(case, name, result, source, masked)

    variants = chosen_variants(call, wanted)
    contenders = []
    for variant in variants if case.variants else variants[:1]:
        progress(f"{case.name}: checking ours, {variant}")
        np.copyto(work, source)
        call.time(1, variant)
        fail_if(check(f"ours, {variant}", target))
        contenders.append(Contender(variant, lambda calls, variant=variant: call.time(calls, variant), kind="ours"))

    progress(f"{case.name}: checking the floor")
    if case.worst:
        works = call.make_floor(ours.READ_MODIFY_WRITE)
        np.copyto(work, source)
        call.time_floor(1)
        fail_if(None if np.array_equal(work, source) else f"{case.name}: the floor changed an element")
    else:
        works = call.make_floor(ours.FILL if case.in_place else ours.FILL_AND_COPY)
        np.copyto(work, source)
        call.time_floor(1)
        fail_if(check("floor", target))
    contenders.append(Contender("floor", call.time_floor, kind="floor", says=works))

    for peer in all_peers(case, source, work, out):
        progress(f"{case.name}: checking {peer.name}")
        peer.reset()
        problem = check(peer.name, peer.bits(peer.call()), peer.masked)
        contenders.append(Contender(peer.name, peer.time, kind="peer", allocates=peer.allocates,
                                    differs=problem, says=peer.says))

    if case.in_place:
        np.copyto(work, source)
        call.time(1)  # all who work in place find masked logits, whoever was last
    take_turns(case.name, contenders, case.small, seconds)
    if case.in_place:
        fail_if(check("after all turns", work))  # whoever wrote there
    call.close()
    return row_of(case.name, contenders)


def measure_dispatch(library, arrays, wanted, seconds):
    """The JSON-loaded path on 64 elements, beside its kernel called by hand."""
    case = cases.dispatch_case()
    source, work, _ = arrays.of(case)
    call = ours.Call(library, case, work, work)
    variant = chosen_variants(call, wanted)[0]
    for name, time in (("ours", call.time), ("direct", call.time_direct)):
        np.copyto(work, source)
        time(1, variant)
        fail_if(library.check(case, name, work, source))
    contenders = [
        Contender(variant, lambda calls: call.time(calls, variant), kind="ours"),
        Contender("direct", lambda calls: call.time_direct(calls, variant), kind="floor", says="the kernel by itself"),
    ]
    take_turns(case.name, contenders, True, seconds / 2)
    call.close()
    # Both stay in the first cache: what else the machine does can only add to them, and the best are the truth.
    return row_of(case.name, contenders) | {"over_direct_ns": 1e6 * (contenders[0].best - contenders[1].best)}


def expected_tiles(tokens, window):
    """For each tile of the causal window over 0, 1, 2, ...: 0 masked whole, 1 in part, 2 kept whole."""
    first = np.arange(0, tokens, TILE, dtype=np.int32)
    query, key = first[:, None], first[None, :]
    tiles = np.ones((first.size, first.size), np.uint8)
    tiles[(key > query + (TILE - 1)) | (query - key - (TILE - 1) >= window)] = 0
    tiles[(key + (TILE - 1) <= query) & (query + (TILE - 1) - key < window)] = 2
    return tiles


def measure_plan(library, name, seconds):
    tokens = PLANS[name]
    case = cases.plan_case(name, tokens)
    call = ours.call_without_logits(library, case)
    expected = expected_tiles(tokens, case.window)
    found = call.plan(TILE, *expected.shape)
    if not np.array_equal(found, expected):
        row, column = np.argwhere(found != expected)[0]
        raise Failure(f"{name}: the tile at row {row}, column {column} is {found[row, column]}, not "
                      f"{expected[row, column]} (0: masked whole, 1: in part, 2: kept whole)")
    contenders = [Contender("plan", lambda calls: call.time_plan(TILE, calls), kind="ours")]
    if name in TORCH_PLANS:
        import torch
        from torch.nn.attention.flex_attention import create_block_mask

        def keep(batch, head, query, key):
            return (query >= key) & (query - key < case.window)

        def make():
            return create_block_mask(keep, None, None, tokens, tokens, device="cpu", BLOCK_SIZE=TILE)

        progress(f"{name}: checking create_block_mask")
        mask = make()
        tiles = np.zeros_like(expected)
        for counts, indices, mark in ((mask.kv_num_blocks, mask.kv_indices, 1),
                                      (mask.full_kv_num_blocks, mask.full_kv_indices, 2)):
            for row, count in enumerate(counts[0, 0].tolist()):
                tiles[row, indices[0, 0, row, :count].numpy()] = mark
        if not np.array_equal(found, tiles):
            raise Failure(f"{name}: ours and torch {torch.__version__} have not the same full and partial tiles")
        peer = Peer("torch_create_block_mask", make, None, allocates=True)
        contenders.append(Contender(peer.name, peer.time, kind="peer", allocates=True, differs=None, says=peer.says))
    take_turns(name, contenders, False, seconds)
    call.close()
    return row_of(name, contenders)
