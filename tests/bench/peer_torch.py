"""What a user of torch writes for a case, on the processor or on a card: the functions of peers.py and gpu_peers.py."""

from types import SimpleNamespace

import numpy as np
import torch

from cases import MASKED


def as_torch(bits, dtype):
    """A tensor over the memory of an array of bits."""
    tensor = torch.from_numpy(bits.view(np.int32 if dtype == "float32" else np.int16))
    return tensor.view(getattr(torch, dtype))


def torch_bits(tensor):
    wide = tensor.element_size() == 4
    bits = tensor.view(torch.int32 if wide else torch.int16).cpu().numpy()
    return bits.view(np.uint32 if wide else np.uint16)


def torch_functions(case, device="cpu"):
    """The case's positions there, and functions of logits and positions."""
    window = case.window
    masked = torch.tensor(MASKED, dtype=getattr(torch, case.dtype), device=device)  # a number would make it float32

    def keep(query, key):
        kept = (query >= key) & (key >= 0)
        return kept if window is None else kept & (query - key < window)

    def masked_fill_(x, query, key):
        return x.masked_fill_(~keep(query, key), MASKED)

    def where(x, query, key):
        return torch.where(keep(query, key), x, masked)

    def where_into(x, query, key, out):
        return torch.where(keep(query, key), x, masked, out=out)

    def where_into_fused(x, query, key, out):
        return out.copy_(torch.where(keep(query, key), x, masked))

    torch.compiler.reset()  # or it would count the cases as recompilations of one function, and give up
    return SimpleNamespace(
        query=torch.from_numpy(case.spread(case.query_positions, "seq")).to(device),
        key=torch.from_numpy(case.spread(case.kv_positions, "kv_seq")).to(device),
        masked_fill_=masked_fill_, where=where, where_into=where_into, where_into_fused=where_into_fused)


def compile(function):
    return torch.compile(function, dynamic=False, fullgraph=True)
