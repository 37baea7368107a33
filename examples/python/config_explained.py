"""A Hugging Face model's config: what its layers see and why, drawn in the terminal and as a picture, and applied.

Needs NumPy alone. For a model of transformers give its config object: axismask.from_config(model.config).
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import axismask
import numpy as np

CONFIG = {"model_type": "gpt_oss", "num_hidden_layers": 4, "sliding_window": 8, "num_attention_heads": 4,
          "layer_types": ["sliding_attention", "full_attention", "sliding_attention", "full_attention"]}


def command(*arguments):
    """The command line is in the package, too."""
    done = subprocess.run([sys.executable, "-m", "axismask", *arguments], check=True, capture_output=True, text=True)
    return done.stdout


def drawn(mask):
    return "\n".join(" ".join("x" if kept else "." for kept in row) for row in mask)


with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    (folder / "config.json").write_text(json.dumps(CONFIG))
    print(command("explain", str(folder / "config.json")))

    model = axismask.from_config(CONFIG)
    for layer in model:
        print(layer.name, layer.formula)

    (folder / "model.json").write_text(model.to_json())
    picture = folder / "masks.png"
    command("show", str(folder / "model.json"), "--seq", "24", "--out", str(picture))
    print(f"a picture of {'some' if picture.stat().st_size > 1000 else 'no'} bytes")

# Two prompts of one batch, padded on the left: 3 and 10 tokens in rows of 10.
positions = axismask.positions.left_padded([3, 10], 10)
layer = model.layer("layers.0")
mask = layer.mask("batch seq kv_seq", token_positions=(positions, "batch seq"))
print(drawn(mask[1]))
print(layer.plan(tile=(4, 4), token_positions=(positions, "batch seq")))

logits = np.zeros((2, 4, 10, 10), np.float32)
layer.apply_in_place(logits, "batch heads seq kv_seq", token_positions=(positions, "batch seq"))
print("kept, of each prompt:", (logits == 0).sum((1, 2, 3)).tolist())
