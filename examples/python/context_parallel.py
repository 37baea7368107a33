"""Context parallelism: the tokens of a long sequence over 8 devices, in orders that give each the same work.

A causal mask leaves the device with the first tokens little to do, and the one with the last the most. So tokens are
dealt out: in a zig-zag (device i has the chunks i and 15 - i of 16) or in stripes (every eighth token). A mask that goes
by places would be wrong then. Here it goes by positions, which are dealt out with the tokens, and nothing else is said.

Keys and values go round the ring of devices; each attends to what visits it, and puts the results together by their
logarithms of sums. No array is gathered, and the result is that of one device.
"""

import os

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=8"

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

import axismask
import axismask.jax

DEVICES, TOKENS, HEADS, WIDTH = 8, 1024, 2, 32
CUT = PartitionSpec(None, "ring")  # arrays are heads, tokens, width

# In attention a query that sees none of a visitor's keys has to give 0: "zeros".
layers = axismask.parse({"axismask": 1, "model": "context parallel", "layers": [
    {"name": "full", "type": "ApplyCausalAttentionMask", "masked_out_value": "-inf", "empty_rows": "zeros",
     "query_positions_input_name": "at", "kv_positions_input_name": "keys_at"},
    {"name": "local", "type": "ApplyCausalSlidingWindowAttentionMask", "sliding_window_size": 200,
     "masked_out_value": "-inf", "empty_rows": "zeros",
     "query_positions_input_name": "at", "kv_positions_input_name": "keys_at"}]})


def orders() -> dict[str, np.ndarray]:
    """For each order the positions of the tokens, device after device."""
    positions = np.arange(TOKENS, dtype=np.int32)
    chunks = positions.reshape(2 * DEVICES, -1)
    return {"in order": positions,
            "zig-zag": np.concatenate([chunks[[i, 2 * DEVICES - 1 - i]].ravel() for i in range(DEVICES)]),
            "striped": positions.reshape(-1, DEVICES).T.ravel()}


def attend(layer, queries, keys, values, at, keys_at, **options):
    return axismask.jax.attend(layer, queries, "heads seq projection", keys, "heads kv_seq projection", values,
                               "heads kv_seq projection", at=at, keys_at=keys_at, **options)


def ring_attention(layer, mesh):
    """Attention of queries that stay with keys and values that go round; each array is a device's part."""
    to_the_next = [(i, (i + 1) % DEVICES) for i in range(DEVICES)]

    def of_a_device(queries, keys, values, at):
        visiting = keys, values, at
        result, sums = attend(layer, queries, *visiting[:2], at, visiting[2], log_sum_exp=True)
        for _ in range(DEVICES - 1):
            visiting = jax.lax.ppermute(visiting, "ring", to_the_next)
            part, part_sums = attend(layer, queries, *visiting[:2], at, visiting[2], log_sum_exp=True)
            both = jnp.logaddexp(sums, part_sums)
            result = result * jnp.exp(sums - both)[..., None] + part * jnp.exp(part_sums - both)[..., None]
            sums = both
        return result

    return jax.jit(jax.shard_map(of_a_device, mesh=mesh, in_specs=(CUT, CUT, CUT, PartitionSpec("ring")), out_specs=CUT))


def work(layer, at) -> list[int]:
    """How many in a thousand of the kept scores each device has."""
    kept = np.asarray(axismask.jax.mask(layer, "seq kv_seq", at=at, keys_at=at))
    of_device = kept.reshape(DEVICES, -1).sum(axis=1)
    return [round(1000 * part / of_device.sum()) for part in of_device]


def main() -> None:
    mesh = Mesh(np.array(jax.devices()), ("ring",))
    arrays = [np.random.default_rng(i).normal(size=(HEADS, TOKENS, WIDTH)).astype(np.float32) for i in range(3)]
    for layer in layers:
        want = np.asarray(attend(layer, *arrays, np.arange(TOKENS), np.arange(TOKENS)))
        program = ring_attention(layer, mesh)
        print(f"{layer.name}: {layer.formula}")
        for name, at in orders().items():
            dealt = [jax.device_put(array[:, at], NamedSharding(mesh, CUT)) for array in arrays]
            dealt.append(jax.device_put(at, NamedSharding(mesh, PartitionSpec("ring"))))
            compiled = program.lower(*dealt).compile()
            assert "all-gather" not in compiled.as_text(), "nothing is gathered"
            got = np.asarray(compiled(*dealt))
            error = np.abs(got - want[:, at]).max()
            assert error < 2e-6, error
            logits = np.random.default_rng(3).normal(size=(TOKENS, TOKENS)).astype(np.float32)
            masked = axismask.jax.apply(layer, logits[at][:, at], "seq kv_seq", at=at, keys_at=at)
            in_order = axismask.jax.apply(layer, logits, "seq kv_seq", at=np.arange(TOKENS), keys_at=np.arange(TOKENS))
            assert (np.asarray(masked) == np.asarray(in_order)[at][:, at]).all(), "masked logits are the same, bit for bit"
            print(f"  {name:8}  work of the devices, of 1000: {' '.join(f'{part:3}' for part in work(layer, at))}")


if __name__ == "__main__":
    main()
