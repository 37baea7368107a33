"""The scale and softcap that `axismask explain` and `import` give, against the Attention classes of transformers: what
their constructors make of `self.scaling` is run on transformers' own configurations, for every model type whose Attention
says which configuration it takes.
"""

import ast
import json
import logging
import os
import pathlib
import subprocess
import tempfile
import types
import unittest

os.environ["HF_HUB_OFFLINE"] = "1"

import transformers
from transformers.models.auto.configuration_auto import CONFIG_MAPPING, CONFIG_MAPPING_NAMES

AXISMASK = os.environ["AXISMASK"]
logging.disable(logging.WARNING)

MODELS = pathlib.Path(transformers.__file__).parent / "models"
SIZES = ("head_dim", "head_size", "attention_head_size", "qk_head_dim")
KEYS = {"query_pre_attn_scalar": 144, "attention_multiplier": 0.3, "attn_logit_softcapping": 30.0}
# The types that have scores of their own.
OWN = {
    "diffusion_gemma_text", "embedding_gemma2_text", "gemma2", "gemma3_text", "gemma3n_text", "gemma4_text",
    "gemma4_unified_text", "granite", "granite4_vision_text", "granite_docling_text", "granite_swa", "granitemoe",
    "granitemoe_swa", "granitemoehybrid", "granitemoeshared", "hyperclovax", "step3p5", "vaultgemma",
}  # fmt: skip
# Types whose scale docs/models.md says is not read, and one that scales queries and keys, each by half.
NOT_READ = {
    "inkling_text": "1 / size of a head",
    "zamba": "1 / sqrt(half of the size of a head)",
    "zamba2": "1 / sqrt(half of the size of a head)",
    "openai_privacy_filter": "1 / sqrt(sqrt(size of a head)), of queries and keys",
}


def attention_classes(tree, config_class):
    """The classes of a module whose constructor takes that configuration and sets self.scaling: constructor, class."""
    for node in tree.body:
        if not isinstance(node, ast.ClassDef) or "Attention" not in node.name:
            continue
        for method in node.body:
            if not isinstance(method, ast.FunctionDef) or method.name != "__init__" or len(method.args.args) < 2:
                continue
            given = method.args.args[1].annotation
            if given is not None and ast.unparse(given) == config_class and "self.scaling =" in ast.unparse(method):
                yield method, node


def run(constructor, config):
    """What the constructor gives `self`, as far as it is arithmetic on the configuration."""
    self = types.SimpleNamespace()
    names = {"self": self, "config": config, "layer_idx": 0, "getattr": getattr, "hasattr": hasattr}
    for statement in constructor.body:
        try:
            exec(compile(ast.Module([statement], []), "constructor", "exec"), names)
        except Exception:  # modules and tensors, which are none of this
            pass
    return self


class Scores(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = pathlib.Path(folder.name) / "config.json"

    def ours(self, keys):
        """The scores that explain gives, or nothing for a file that it refuses."""
        self.file.write_text(json.dumps(keys))
        done = subprocess.run([AXISMASK, "explain", self.file, "--json"], capture_output=True, text=True, check=False)
        return json.loads(done.stdout)["scores"] or {} if done.returncode == 0 else None

    def compare(self, model_type, constructor, source, keys):
        """The scores, if there is something to compare them with."""
        scores = self.ours({"model_type": model_type, **keys})
        if scores is None:
            return None
        config = CONFIG_MAPPING[model_type](**keys)
        made = run(constructor, config)
        size = next((getattr(made, name) for name in SIZES if hasattr(made, name)), None)
        if not isinstance(getattr(made, "scaling", None), float | int) or size is None:
            return None
        self.assertAlmostEqual(scores.get("scale", size**-0.5), made.scaling, 9, f"{model_type} {keys}")
        capped = "softcap=self.attn_logit_softcapping" in source
        self.assertEqual(scores.get("softcap"), config.attn_logit_softcapping if capped else None, f"{model_type} {keys}")
        return scores

    def test_every_type(self):
        compared, own = set(), set()
        for model_type, class_name in CONFIG_MAPPING_NAMES.items():
            module = CONFIG_MAPPING[model_type].__module__.replace("configuration_", "modeling_").split(".")[-2:]
            file = MODELS / module[0] / f"{module[1]}.py"
            if model_type in NOT_READ or not file.exists():
                continue
            for constructor, node in attention_classes(ast.parse(file.read_text()), class_name):
                source = ast.unparse(node)
                given = {key: value for key, value in KEYS.items() if f"config.{key}" in source}
                for keys in [{}, given] if given else [{}]:
                    scores = self.compare(model_type, constructor, source, keys)
                    if scores is not None:
                        compared.add(model_type)
                    if scores:
                        own.add(model_type)
        self.assertEqual(own, OWN)
        self.assertGreaterEqual(len(compared), 150, sorted(compared))


if __name__ == "__main__":
    unittest.main()
