"""`axismask import` and `axismask explain` against transformers itself, for every family and for mutated files: the
same files are accepted, and each layer's mask is the same, element by element.

What a file means, transformers' own configuration classes say: AutoConfig reads it. Which mask a layer gets, the
model's own forward says: the statements in it that make masks are taken out of modeling_*.py, and run. They call
transformers.masking_utils, whose mask functions are run too. None of this computes with torch, but the modules import
it, and it is large; so a stand-in of a few lines over NumPy takes torch's place here. Ours is what the kernels do with
the imported spec.
"""

import ast
import importlib.util
import json
import logging
import os
import pathlib
import subprocess
import sys
import tempfile
import types
import unittest
from collections.abc import Callable

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import transformers
import transformers.utils.import_utils
from transformers import AutoConfig

AXISMASK = os.environ["AXISMASK"]
logging.disable(logging.WARNING)


# ------------------------------------------------------------------------------------- transformers, without torch


def expanded(spec):
    """The spec with its groups of layers written out."""
    layers = []
    for entry in spec["layers"]:
        pattern = entry.get("pattern")
        if pattern is None:
            layers.append(entry)
            continue
        for index in range(entry.get("count", len(pattern))):
            mask = pattern[index % len(pattern)]
            mask = spec["masks"][mask] if isinstance(mask, str) else mask
            layers.append({"name": entry["name"].replace("{}", str(len(layers))), **mask})
    return {**spec, "layers": layers}


class Tensor(np.ndarray):
    """As much of torch's tensors as mask functions use."""

    device = None

    def new_ones(self, shape, dtype):
        return np.ones(shape, dtype).view(Tensor)

    def new_zeros(self, shape, dtype):
        return np.zeros(shape, dtype).view(Tensor)

    def to(self, device=None, dtype=None):
        return self if dtype is None else self.astype(dtype)

    def cumsum(self, dim):
        return np.cumsum(np.asarray(self), axis=dim).view(Tensor)

    def sum(self, dim):
        return np.sum(np.asarray(self), axis=dim).view(Tensor)


def tensor(values, dtype=None):
    return np.array(values, dtype=dtype).view(Tensor)


class StandIn(types.ModuleType):
    """A module of which every other name is an empty class."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        setattr(self, name, type(name, (), {}))
        return getattr(self, name)


def load_masking_utils():
    transformers.utils.import_utils.is_torch_available()  # looks for torch, and remembers that there is none
    names = ["torch", "torch.nn", "torch.nn.functional", "torch._dynamo"]
    names += ["torch._dynamo._trace_wrapped_higher_order_op"]
    names += ["transformers.cache_utils", "transformers.generation.continuous_batching.cache"]
    before = {name: sys.modules[name] for name in names if name in sys.modules}
    stand_ins = {name: StandIn(name) for name in names}
    for name in names[1:5]:
        setattr(stand_ins[name.rpartition(".")[0]], name.rpartition(".")[2], stand_ins[name])
    torch = stand_ins["torch"]
    torch.Tensor, torch.bool, torch.tensor = Tensor, np.bool_, tensor
    torch.zeros = lambda *shape, device=None, dtype=None: tensor(np.zeros(shape, dtype))
    torch.zeros_like = lambda like: tensor(np.zeros_like(like))
    sys.modules |= stand_ins
    try:
        path = pathlib.Path(transformers.__file__).parent / "masking_utils.py"
        spec = importlib.util.spec_from_file_location("transformers.masking_utils", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        for name in names:
            del sys.modules[name]
        sys.modules |= before
    return module, torch


masking_utils, torch = load_masking_utils()


def evaluate(mask_function, attention_mask=None, **_):
    """A mask interface: the mask at the positions of this moment, and not one of a backend."""
    if attention_mask is not None:
        mask_function = masking_utils.and_masks(mask_function, masking_utils.padding_mask_function(attention_mask))
    grid = np.meshgrid(evaluate.positions, evaluate.positions, indexing="ij")
    mask = mask_function(0, 0, grid[0].view(Tensor), grid[1].view(Tensor))
    return np.broadcast_to(np.asarray(mask), grid[0].shape)


masking_utils.ALL_MASK_ATTENTION_FUNCTIONS._global_mapping["numpy"] = evaluate


def code_that_makes_masks(file, model):
    """The statements of a model's forward that make masks, with the functions of the module that they call."""
    module = ast.parse((pathlib.Path(transformers.__file__).parent / "models" / file).read_text())
    model = next(node for node in module.body if isinstance(node, ast.ClassDef) and node.name == model)
    forward = next(node for node in model.body if isinstance(node, ast.FunctionDef) and node.name == "forward")
    names = lambda statement: {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
    makes_masks = lambda name: name == "mask_function" or (name.startswith("create_") and "mask" in name)
    made = [statement for statement in forward.body if any(makes_masks(name) for name in names(statement))]
    called = set().union(*map(names, made))
    functions = [node for node in module.body if isinstance(node, ast.FunctionDef) and node.name in called]
    assert made, f"{file} makes no masks"
    return compile(ast.Module(functions + made, type_ignores=[]), file, "exec")


def masks_of_model(code, config):
    """The mask of each layer, by the model's forward."""
    inputs = types.SimpleNamespace(shape=(1, 1, 1), dtype=None, device=None)
    types_of_layers = getattr(config, "layer_types", None)
    model = types.SimpleNamespace(config=config, has_sliding_layers="sliding_attention" in (types_of_layers or []))
    names = vars(masking_utils) | {"torch": torch, "Callable": Callable, "self": model}
    names |= {"inputs_embeds": inputs, "hidden_states": inputs}
    names |= {"attention_mask": None, "cache": None, "position_ids": None}
    exec(code, names)
    results = ("causal_mask_mapping", "attention_mask_mapping", "causal_mask")
    made = next(names[name] for name in results if name in names)
    if isinstance(made, dict):
        return [made[word] for word in types_of_layers]
    return [made] * config.num_hidden_layers


# ------------------------------------------------------------------------------------------------------ The files

# A file for each family, with the values of a model that people use, and the model's code. Sources of the values:
# pages of the models, and where those are not open the defaults of their classes. model_test.cpp reads the files too.
FAMILIES = {
    family: (one["config"], *one["code"])
    for family, one in json.loads((pathlib.Path(__file__).parent / "families.json").read_text()).items()
}
CODE = {family: code_that_makes_masks(file, model) for family, (_, file, model) in FAMILIES.items()}
GONE = object()  # the mutation that takes a key away

# What a key may be mutated to, beside being taken away. Lists of layers are for 12 of them, which mutated files have.
LAYERS = 12
VALUES = {
    "num_hidden_layers": [None, 0, -3, 1, 13, 12.0, "12", True],
    "sliding_window": [None, 0, -1, 1, 2, 7, 7.0, "7", True, [7]],
    "attention_chunk_size": [None, 0, -1, 1, 7, "7"],
    "local_attention": [None, 1, 7, 8, "7"],
    "sliding_window_pattern": [None, 0, 1, 2, 5, 100, -3, "4", "LLLG", [1]],
    "_sliding_window_pattern": [3],
    "global_attn_every_n_layers": [None, 0, 1, 2, 100, "2"],
    "use_sliding_window": [None, True, False, "false", 1],
    "max_window_layers": [None, -1, 0, 3, 100, "3"],
    "no_rope_layers": [None, [], [0] * LAYERS, [1] * LAYERS, [0, 1, 2, -1] * 3, [1] * 5, [0] * 20, [True] * LAYERS,
                       ["1"] * LAYERS, "1"],
    "no_rope_layer_interval": [None, 0, 1, 2, 100, "4"],
    "use_bidirectional_attention": [None, True, False, "true", 1],
    "is_causal": [False, True, None],
    "layer_types": [
        None, [], "full_attention", ["full_attention"] * LAYERS, ["sliding_attention"] * LAYERS,
        ["chunked_attention"] * LAYERS, ["full_attention", "sliding_attention"] * 6,
        ["attention", "sliding_attention", "full_attention"] * 4, ["full_attention"] * 11, ["full_attention"] * 13,
        ["sliding"] * LAYERS, ["linear_attention"] * LAYERS, [1] * LAYERS, [None] * LAYERS,
    ],
}
# Values that need each other.
PAIRS = [
    {"use_sliding_window": True, "max_window_layers": 3},
    {"use_sliding_window": True, "max_window_layers": 3, "sliding_window": None},
    {"use_sliding_window": True, "sliding_window": 7},
    {"use_sliding_window": False, "layer_types": ["sliding_attention"] * LAYERS},
    {"use_sliding_window": True, "sliding_window": 7, "no_rope_layers": [0, 1, 1] * 4},
    {"use_sliding_window": True, "sliding_window": 7, "no_rope_layer_interval": 3},
    {"use_bidirectional_attention": True, "sliding_window": 7},
    {"use_bidirectional_attention": True, "sliding_window": 8},
    {"use_bidirectional_attention": True, "sliding_window": 1},
    {"use_bidirectional_attention": True, "sliding_window": 8, "is_causal": False},
    {"use_bidirectional_attention": True, "sliding_window": None},
    {"is_causal": False, "sliding_window": 7},
    {"is_causal": False, "layer_types": ["full_attention", "sliding_attention"] * 6, "sliding_window": 7},
    {"attention_chunk_size": 7, "layer_types": ["chunked_attention", "full_attention"] * 6},
    {"attention_chunk_size": None, "layer_types": ["chunked_attention", "full_attention"] * 6},
    {"sliding_window": None, "layer_types": ["full_attention"] * LAYERS},
    {"sliding_window_pattern": 3, "layer_types": ["sliding_attention", "full_attention"] * 6},
    {"use_sliding_window": "true", "layer_types": ["full_attention"] * LAYERS},
    {"max_window_layers": None, "layer_types": ["full_attention"] * LAYERS},
    {"no_rope_layers": ["1"] * LAYERS, "layer_types": ["full_attention"] * LAYERS},
    {"layer_types": GONE, "sliding_window_pattern": 3},
    {"layer_types": GONE, "sliding_window_pattern": "LLLG"},
    {"layer_types": GONE, "sliding_window": None},
    {"layer_types": GONE, "sliding_window_pattern": GONE},
]


def changed(file, changes):
    result = dict(file)
    for key, value in changes.items():
        result.pop(key, None)
        if value is not GONE:
            result[key] = value
    return result


def mutations(file):
    """Files that are one step from this one, with few layers and a short window, and what was changed."""
    short = {"num_hidden_layers": LAYERS}
    for key, value in {"sliding_window": 6, "attention_chunk_size": 6, "local_attention": 6}.items():
        if file.get(key) is not None:
            short[key] = value
    if file.get("layer_types"):
        short["layer_types"] = file["layer_types"][:LAYERS]
    if file.get("no_rope_layers"):
        short["no_rope_layers"] = file["no_rope_layers"][:LAYERS]
    file = changed(file, short)
    for key in file:
        yield changed(file, {key: GONE}), f"without {key}"
    for key, values in VALUES.items():
        for value in values:
            yield changed(file, {key: value}), f"{key} = {value}"
    for pair in PAIRS:
        yield changed(file, pair), str(pair)


# ------------------------------------------------------------------------------------------------------ The tests


class HuggingFace(unittest.TestCase):
    kernel_results = {}

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.compared = self.guesses = 0

    # ------------------------------------------------------------------------------------------------ Both sides

    def command(self, *words):
        return subprocess.run([AXISMASK, *map(str, words)], capture_output=True, text=True, check=False)

    def write(self, file):
        (self.folder / "config.json").write_text(json.dumps(file))
        return self.folder / "config.json"

    def ours(self, file):
        """The layers that `explain` gives and the spec that `import` makes, or the error."""
        path = self.write(file)
        explained = self.command("explain", path, "--json")
        spec = self.folder / "spec.json"
        spec.unlink(missing_ok=True)
        imported = self.command("import", path, "--guess", "--out", spec)
        self.assertEqual(explained.returncode, imported.returncode, imported.stderr)
        self.assertEqual(explained.stderr, imported.stderr)
        if explained.returncode != 0:
            self.assertEqual(explained.returncode, 2, explained.stderr)
            self.assertRegex(explained.stderr, r"^axismask: error\[config-[a-z-]+\] [^\n]+: [^\n]+; [^\n]+\n$")
            self.assertFalse(spec.exists())
            return None, explained.stderr
        for line in explained.stderr.splitlines():
            self.assertRegex(line, r"^axismask: warning\[config-[a-z-]+\] ")
        said = json.loads(explained.stdout)
        self.assertEqual(list(said), ["model_type", "rule", "certain", "warnings", "scores", "layers"])
        layers = said["layers"]
        self.assertEqual([layer["layer"] for layer in layers], list(range(len(layers))))
        warnings = [f"axismask: warning[{one['id']}] {one['where']}: {one['what']}" for one in said["warnings"]]
        self.assertEqual(explained.stderr.splitlines(), warnings)
        result = layers, expanded(json.loads(spec.read_text()))
        self.is_certain = said["certain"]
        spec.unlink()
        imported = self.command("import", path, "--out", spec)
        self.assertEqual(imported.returncode, 0 if self.is_certain else 2, imported.stderr)
        self.assertEqual(spec.exists(), self.is_certain)
        if not self.is_certain:
            self.assertIn("axismask: error[config-guess] ", imported.stderr)
        return result

    def config(self, file):
        """The text model's configuration as transformers has it."""
        self.write(file)
        config = AutoConfig.from_pretrained(self.folder).get_text_config()
        config._attn_implementation = "numpy"
        return config

    def kernel(self, layer, positions):
        """Which logits the layer keeps, by its kernel."""
        layer = dict(layer, name="layer")
        key = json.dumps([layer, positions.tolist()])
        if key not in self.kernel_results:
            size = len(positions)
            spec = {"axismask": 1, "model": "oracle", "layers": [layer]}
            (self.folder / "one.json").write_text(json.dumps(spec))
            np.save(self.folder / "x.npy", np.ones((size, size), np.float32))
            np.save(self.folder / "p.npy", positions)
            done = self.command("apply", self.folder / "one.json", "--layer", "layer", "--out", self.folder / "y.npy",
                                "--logits", f"{self.folder}/x.npy:seq,kv_seq",
                                "--input", f"token_positions={self.folder}/p.npy:seq")
            self.assertEqual(done.returncode, 0, done.stderr)
            result = np.load(self.folder / "y.npy")
            lowest = np.finfo(np.float32).min
            self.assertTrue(np.isin(result, [1, lowest]).all())
            self.kernel_results[key] = result == 1
        return self.kernel_results[key]

    def positions(self, layers, config):
        """Those at which masks of these layers can differ, if they do: around their sizes, and multiples of these."""
        sizes = [layer["visible_keys"] for layer in layers] + [4]
        sizes += [getattr(config, key, None) for key in ("sliding_window", "attention_chunk_size")]
        sizes = {size for size in sizes if isinstance(size, int)}
        numbers = {n * size // 2 + step for size in sizes for n in range(7) for step in (-2, -1, 0, 1, 2)}
        return np.array(sorted(number for number in numbers if number >= 0), np.int64)

    # ------------------------------------------------------------------------------------------------- Comparing

    def compare(self, file, masks_of, what):
        """Is each layer's mask the same, and the file refused if and only if transformers refuses it?"""
        layers, spec = self.ours(file)
        try:
            config = self.config(file)
            evaluate.positions = self.positions(layers or [], config)
            masks = masks_of(config)
        except Exception as problem:
            if layers is not None:
                is_on_purpose = self.is_accepted_on_purpose(file, layers, problem)
                self.assertTrue(is_on_purpose, f"{what}: transformers refuses: {problem}")
            return
        if layers is None:
            self.assertTrue(self.is_refused_on_purpose(file, config, spec), f"{what}: {spec}")
            return

        self.assertEqual(len(masks), len(layers), what)
        spec_layers = {layer["name"]: layer for layer in spec["layers"]}
        for index, (mask, layer) in enumerate(zip(masks, layers, strict=True)):
            if layer["attention"] == "none":
                self.assertIsNone(mask, f"{what}: layer {index}")
                self.assertNotIn(f"layers.{index}", spec_layers)
                continue
            ours = self.kernel(spec_layers[f"layers.{index}"], evaluate.positions)
            if not np.array_equal(ours, mask):
                q, k = np.argwhere(ours != mask)[0]
                at = evaluate.positions
                place = f"query {at[q]}, key {at[k]}: ours {ours[q, k]}, theirs {mask[q, k]}"
                self.fail(f"{what}: layer {index}, {layer}: {place}")
            # The most keys that a query far enough from both ends sees.
            if layer["visible_keys"] is not None and layer["visible_keys"] < 100:
                wide = np.arange(3 * layer["visible_keys"])
                most = self.kernel(spec_layers[f"layers.{index}"], wide).sum(axis=1).max()
                self.assertEqual(layer["visible_keys"], most, what)
        self.compared += 1
        self.guesses += not self.is_certain

    def is_accepted_on_purpose(self, file, layers, problem):
        # Where no layer slides, a window that is null is no mistake. Some models make the mask all the same, and raise.
        if "sliding_window` argument" in str(problem):
            return all(layer["attention"] in ("full", "bidirectional") for layer in layers)
        # layer_types goes first, and what the pattern is does not matter then.
        return bool(file.get("layer_types")) and ("pattern" in str(problem) or "modulo" in str(problem))

    def is_refused_on_purpose(self, file, config, error):
        if file.get("num_hidden_layers", 1) < 1:
            return "the model's layers, from 1" in error
        # A window below 1 shows no key to a token, not even its own. (In a ModernBERT file it shows just that.)
        sizes = [config.to_dict().get(key) for key in ("sliding_window", "attention_chunk_size", "local_attention")]
        if any(size is not None and size < 1 for size in sizes) or file.get("sliding_window") == 0:
            return "at least 1" in error
        # A window of true is 1 where the class does not look at its type.
        return file.get("sliding_window") is True and "it is true" in error

    # ----------------------------------------------------------------------------------------------------- Cases

    def test_every_family_as_it_is(self):
        for family, (file, _, _) in FAMILIES.items():
            self.compare({"model_type": family, **file}, lambda config: masks_of_model(CODE[family], config), family)
        self.assertEqual(self.compared, len(FAMILIES))

    def test_every_family_mutated(self):
        for family, (file, _, _) in FAMILIES.items():
            code = CODE[family]
            for mutated, what in mutations(file):
                with self.subTest(family=family, what=what):
                    self.compare({"model_type": family, **mutated}, lambda config: masks_of_model(code, config),
                                 f"{family}, {what}")
        print(f"{self.compared} mutated files whose masks are the same, {self.guesses} of them guesses")

    def test_files_that_transformers_writes(self):
        for family, (file, _, _) in FAMILIES.items():
            for use_diff in (True, False):
                written = json.loads(self.config({"model_type": family, **file}).to_json_string(use_diff))
                self.compare(written, lambda config: masks_of_model(CODE[family], config), f"{family} written")
        self.assertEqual(self.compared, 2 * len(FAMILIES))

    def test_models_of_several_parts(self):
        gemma3, gemma3n, llama4 = ({"text_config": {**FAMILIES[name][0], "num_hidden_layers": 34}}
                                   for name in ("gemma3_text", "gemma3n_text", "llama4_text"))
        llama4["text_config"]["no_rope_layers"] = None
        files = [("gemma3", gemma3), ("gemma3n", gemma3n), ("llama4", llama4)]
        for model_type, file in files + [(name, {}) for name, _ in files]:
            code = CODE[model_type + "_text"]
            # These classes take text_config for their own text model, whatever it says that it is.
            for text_type in (None, model_type + "_text", "llama"):
                file = json.loads(json.dumps(file))
                if text_type and "text_config" in file:
                    file["text_config"]["model_type"] = text_type
                self.compare({"model_type": model_type, **file}, lambda config: masks_of_model(code, config),
                             f"{model_type} of {text_type}")
        for text_type in ("mistral", "qwen2", "gemma2"):
            file = {"model_type": "llava", "text_config": {"model_type": text_type, **FAMILIES[text_type][0]}}
            self.compare(file, lambda config: masks_of_model(CODE[text_type], config), f"llava of {text_type}")
        self.assertEqual(self.compared, 21)

    def test_chunks_behind_left_padding(self):
        """transformers counts chunks from the first token of a row; ours do where positions count tokens."""
        padding, size = 5, 40
        evaluate.positions = np.arange(size)
        config = self.config({"model_type": "llama4_text", "num_hidden_layers": 4, "attention_chunk_size": 7})
        inputs = types.SimpleNamespace(shape=(1, size, 1), dtype=None, device=None)
        tokens = tensor([[0] * padding + [1] * (size - padding)])
        theirs = masking_utils.create_chunked_causal_mask(config, inputs, tokens, None)
        layer = {"type": "ApplyChunkedAttentionMask", "attention_chunk_size": 7, "masked_out_value": "lowest"}
        ours = self.kernel(layer, np.arange(size) - padding)
        np.testing.assert_array_equal(ours[padding:], theirs[padding:])


if __name__ == "__main__":
    unittest.main()
