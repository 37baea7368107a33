"""axismask.jax in two processes of two devices each, joined by jax.distributed on the loopback address."""

import os
import socket
import subprocess
import sys
import unittest

PROCESSES, DEVICES = 2, 2


def member(address: str, number: int) -> None:
    """What each process does: its parts of logits and queries are masked and attended as the whole would be."""
    os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={DEVICES}"
    import jax
    import numpy as np
    from jax.sharding import Mesh, NamedSharding, PartitionSpec
    from jax_cases import cases, logits, same

    import axismask.jax

    jax.distributed.initialize(address, PROCESSES, number)
    assert (jax.process_count(), len(jax.devices()), len(jax.local_devices())) == (2, 4, 2)
    mesh = Mesh(np.array(jax.devices()).reshape(2, 2), ("process", "device"))

    def put(array, *parts):
        sharding = NamedSharding(mesh, PartitionSpec(*parts))
        return jax.make_array_from_callback(array.shape, sharding, lambda index: array[index])

    def check(program, arrays, want, cut):
        compiled = jax.jit(program).lower(*arrays).compile()
        text = compiled.as_text()
        assert not [one for one in ("all-gather", "all-to-all", "all-reduce", "permute") if one in text], text
        got = compiled(*arrays)
        assert got.sharding.spec == PartitionSpec(*cut), got.sharding
        assert len(got.addressable_shards) == DEVICES
        for shard in got.addressable_shards:
            assert same(np.asarray(shard.data), want[shard.index])

    case = cases()["window for each head"]
    (at, _), (keys_at, _) = case.inputs.values()
    x, one = logits(), case.layer()
    axes = "batch heads seq kv_seq"
    want = one.apply(x, axes, **case.inputs)
    for cut in ((None, "process", "device"), (None, None, "device", "process"), (None, ("process", "device"))):
        check(lambda x, at, keys_at: axismask.jax.apply(one, x, axes, at=(at, "batch seq"), keys_at=(keys_at, "batch seq")),
              (put(x, *cut), put(at), put(keys_at)), want, cut)

    q, k = logits(shape=(2, 4, 512, 16)), logits(shape=(2, 4, 512, 16), seed=1)
    positions = np.arange(512, dtype=np.int32)

    def attend(q, k, positions):
        return axismask.jax.attend(one, q, "batch heads seq projection", k, "batch heads kv_seq projection", k,
                                   "batch heads kv_seq projection", at=positions, keys_at=positions)

    want = one.attend(q, "batch heads seq projection", k, "batch heads kv_seq projection", k,
                      "batch heads kv_seq projection", at=(positions, "seq"), keys_at=(positions, "seq"))
    check(attend, (put(q, "process", None, "device"), put(k, "process"), put(positions)), want, ("process", None, "device"))
    print("right", number)


class Processes(unittest.TestCase):
    def test_two_processes_have_the_bits_of_one(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{free.getsockname()[1]}"
        running = [subprocess.Popen([sys.executable, __file__, address, str(i)], stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE, text=True) for i in range(PROCESSES)]
        try:
            for i, process in enumerate(running):
                out, error = process.communicate(timeout=300)
                self.assertEqual((process.returncode, out), (0, f"right {i}\n"), error)
        finally:
            for process in running:
                process.kill()


if __name__ == "__main__":
    if len(sys.argv) == 3:
        member(sys.argv[1], int(sys.argv[2]))
    else:
        unittest.main()
