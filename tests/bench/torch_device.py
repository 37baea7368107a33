"""The devices of torch for gpu.py, as devices.py describes them, and torch's entrants."""

import gc
import os

import numpy as np
import torch

from cases import MASKED
from devices import Entrant, wall_nanoseconds
from peer_torch import as_torch, compile, torch_bits, torch_functions


class TorchDevice:
    """The first CUDA card; or the processor, to rehearse what is done with a card."""

    def __init__(self, kernels):
        self.kernels = kernels  # "cuda" or "cpu", which torch calls them, too
        self.is_card = kernels == "cuda"
        if not self.is_card:
            self.says, self.clock, self.stream, self.cache_bytes = "the processor", "wall clock", None, 1 << 20
            return
        if not torch.cuda.is_available():
            raise RuntimeError("torch finds no card that it can use")
        card = torch.cuda.get_device_properties(0)
        # One of its own: the default stream has no number that a call could be given.
        self.torch_stream = torch.cuda.Stream()
        torch.cuda.set_stream(self.torch_stream)
        self.stream = self.torch_stream.cuda_stream
        self.cache_bytes = card.L2_cache_size
        self.clock = "CUDA events"
        self.says = (f"{card.name}, capability {card.major}.{card.minor}, {card.multi_processor_count} processors, "
                     f"{card.total_memory >> 20} MiB, {card.L2_cache_size >> 20} MiB of L2 cache, "
                     f"CUDA {torch.version.cuda}")

    def free_bytes(self):
        if self.is_card:
            return torch.cuda.mem_get_info()[0]
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")

    def array(self, bits):
        return TorchArray(self, bits)

    def nanoseconds(self, work):
        if not self.is_card:
            return wall_nanoseconds(work)
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        work()
        end.record()
        end.synchronize()
        return int(start.elapsed_time(end) * 1e6)

    def floor(self, kind, nbytes, copies):
        """torch's fill_ or copy_ of pieces of one large tensor."""
        arrays = 1 if kind == "fill" else 2
        count = max(1, nbytes // 4 // arrays)
        step = -(-count // 1024) * 1024  # each piece starts as an array of its own would
        memory = torch.ones(arrays * copies * step, dtype=torch.float32, device=self.kernels)
        pieces = [memory[start : start + count] for start in range(0, memory.numel(), step)]

        def fill(rounds):
            for _ in range(rounds):
                for piece in pieces:
                    piece.fill_(MASKED)

        def copy(rounds):
            for _ in range(rounds):
                for source, target in zip(pieces[:copies], pieces[copies:]):
                    target.copy_(source)

        return Entrant(kind, "floor", fill if kind == "fill" else copy, self.nanoseconds, nbytes=4 * count * arrays,
                       says=f"torch {kind}_")

    def peers(self, case, source, logits, out, renew):
        def penzai():
            from jax_device import penzai_entrants

            return penzai_entrants(self.kernels, case, source, len(logits))

        def torch_compile():
            return torch_entrants(self, case, logits, out, renew)

        return [torch_compile, penzai]

    def release(self):
        gc.collect()
        if self.is_card:
            torch.cuda.empty_cache()


class TorchArray:
    """A tensor, as its bits."""

    def __init__(self, device, bits):
        self.shape, self.itemsize = bits.shape, bits.itemsize
        self.strides = tuple(bits.itemsize * int(np.prod(bits.shape[axis + 1 :])) for axis in range(bits.ndim))
        self.element = "float32" if bits.itemsize == 4 else "bfloat16"
        self.tensor = torch.empty(bits.shape, dtype=getattr(torch, self.element), device=device.kernels)
        self.handle, self.on_device = self.tensor.data_ptr(), device.is_card
        self.write(bits)

    def write(self, bits):
        self.tensor.copy_(as_torch(bits, self.element))

    def read(self):
        return torch_bits(self.tensor)


def torch_entrants(device, case, logits, out, renew):
    mask = torch_functions(case, device.kernels)
    logits, out = [array.tensor for array in logits], [array.tensor for array in out]

    def entrant(name, function, *lists, allocates=False):
        function = compile(function)

        def call(x, *into):
            return function(x, mask.query, mask.key, *into)

        def run(rounds):
            for _ in range(rounds):
                for arrays in zip(*lists):
                    call(*arrays)

        def result():
            renew()
            return torch_bits(call(*[arrays[0] for arrays in lists]))

        return Entrant(name, "peer", run, device.nanoseconds, result, allocates=allocates)

    if case.in_place:
        return [entrant("torch_compile_masked_fill_", mask.masked_fill_, logits)]
    return [entrant("torch_compile_where", mask.where, logits, allocates=True),
            entrant("torch_compile_into", mask.where_into_fused, logits, out)]
