"""Layers of one's own, of a library that axismask_add_layers made: core_layers_test.py PLUGIN"""

import sys

import numpy as np

import axismask

SPEC = {"axismask": 1, "model": "own",
        "layers": [{"name": "own", "type": "ApplyOwnMask", "masked_out_value": "-inf"}]}

try:
    axismask.parse(SPEC)
    sys.exit("the layer is known before its library is loaded")
except axismask.Error as error:
    assert error.id == "spec-layer-type", error
axismask.load_layers(sys.argv[1])
axismask.load_layers(sys.argv[1])
[layer] = axismask.parse(SPEC)
positions = np.arange(40, dtype=np.int32)
np.testing.assert_array_equal(layer.mask("seq kv_seq", token_positions=positions), np.eye(40, dtype=bool))
logits = np.ones((2, 40, 40), np.float32)
np.testing.assert_array_equal(layer.apply(logits, "heads seq kv_seq", token_positions=positions)[1] == 1, np.eye(40, dtype=bool))
assert layer.plan(tile=(8, 8), token_positions=positions).none == 20
values = np.random.default_rng(1).standard_normal((40, 16)).astype(np.float32)
made = layer.attend(values, "seq projection", values, "kv_seq projection", values, "kv_seq projection", token_positions=positions)
np.testing.assert_array_equal(made, values)  # each token takes its own value
print("layers of", sys.argv[1])
