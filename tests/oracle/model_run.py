"""Runs models of transformers over the stand-in for torch, and says which mask each layer's attention had.

A model's file is compiled as it stands, without what it imports: names of configuration files, of masking_utils and of
other models' files are the real ones, all other names are stand-ins. The model is made of a configuration and called
once, with a row of tokens.
"""

import __future__
import ast
import dataclasses
import functools
import importlib
import inspect
import os
import pathlib
import re

os.environ["HF_HUB_OFFLINE"] = "1"

import transformers
import transformers.utils.import_utils

import stand_in
from stand_in import Anything, Module, Value, events, named_anything

transformers.utils.import_utils.is_torch_available()  # looks for torch, and remembers that there is none
torch = stand_in.make_torch()
masking_utils = stand_in.load_masking_utils(transformers)
PACKAGE = pathlib.Path(transformers.__file__).parent
LENGTH = 1  # tokens of the one row that a model is called with

REAL = {"math", "typing", "dataclasses", "functools", "collections", "collections.abc", "itertools", "copy", "enum",
        "abc", "types", "re", "os", "sys", "warnings", "numpy", "contextlib", "inspect", "operator", "random", "string",
        "numbers", "logging", "time", "json", "pathlib", "io", "struct", "bisect", "fractions", "html", "unicodedata"}


def mask_interface(mask_function, **_):
    """A mask for an attention: the function of positions, and no padding."""
    return Value(mask=mask_function)


for backend in ("eager", "sdpa"):
    masking_utils.ALL_MASK_ATTENTION_FUNCTIONS._global_mapping[backend] = mask_interface


masking_utils.find_packed_sequence_indices = lambda _: None  # the one row holds one sequence


class AttentionFunctions:
    @staticmethod
    def attention(module, query, key, value, attention_mask=None, *_, **named):
        events.attention(attention_mask.mask if isinstance(attention_mask, Value) else None, module)
        return Value(), None

    def get_interface(self, *_):
        return self.attention

    __getitem__ = get = get_interface

    def __setitem__(self, *_):
        pass

    def __contains__(self, _):
        return True

    def keys(self):
        return ["eager", "sdpa"]

    valid_keys = keys


class PreTrainedModel(Module):
    config_class = None
    gradient_checkpointing = False
    is_gradient_checkpointing = False

    def __init__(self, config=None, *_, **__):
        self.config = config
        self.generation_config = Anything()

    def post_init(self):
        pass

    init_weights = tie_weights = post_init

    @classmethod
    def _from_config(cls, config, **_):
        return cls(config)

    from_config = _from_config

    def __getattr__(self, name):
        if name.startswith("__") or name == "_place":
            raise AttributeError(name)
        return Value()

    def get_input_embeddings(self):
        return stand_in.Embedding()


def mapping_of(name):
    """One of the tables model_type -> class of auto/modeling_auto.py."""
    for node in ast.parse((PACKAGE / "models/auto/modeling_auto.py").read_text()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
            pairs = [pair for pair in node.value.args[0].elts if isinstance(pair, ast.Tuple)]
            return {ast.literal_eval(key): ast.literal_eval(value) for key, value in (pair.elts for pair in pairs)}
    raise KeyError(name)


MODELS = mapping_of("MODEL_MAPPING_NAMES")
GENERATORS = mapping_of("MODEL_FOR_CAUSAL_LM_MAPPING_NAMES")


@functools.cache
def files_of_classes():
    found = {}
    for file in sorted(PACKAGE.glob("models/*/modeling_*.py")):
        for name in re.findall(r"^class (\w+)", file.read_text(), re.MULTILINE):
            found.setdefault(name, file)
    return found


@functools.cache
def models_of_configuration(folder):
    """Configuration class -> the models that say `config: ThatClass`; parts of composites stand in no table."""
    found = {}
    for file in sorted(pathlib.Path(folder).glob("modeling_*.py")):
        for node in ast.parse(file.read_text()).body:
            for field in node.body if isinstance(node, ast.ClassDef) else ():
                if isinstance(field, ast.AnnAssign) and getattr(field.target, "id", "") == "config":
                    found.setdefault(ast.unparse(field.annotation), []).append(node.name)
    return found


def model_class(config, of=MODELS):
    """The class that AutoModel takes for a configuration."""
    names = of.get(config.model_type, ())
    stem = type(config).__name__.removesuffix("Config")
    names = [*([names] if isinstance(names, str) else names), stem + "Model", stem, GENERATORS.get(config.model_type)]
    folder = pathlib.Path(inspect.getfile(type(config))).parent
    said = models_of_configuration(folder).get(type(config).__name__, [])
    names += sorted((name for name in said if "PreTrained" not in name), key=lambda name: "For" in name)
    for name in names:
        if name in files_of_classes():
            return load(files_of_classes()[name])[name]
    raise LookupError(f"no model of {type(config).__name__}")


class AutoModel:
    table = MODELS

    @classmethod
    def from_config(cls, config, **_):
        try:
            return model_class(config, cls.table)(config)
        except LookupError:
            return stand_in.Layer()

    _from_config = from_config


class AutoGenerator(AutoModel):
    table = GENERATORS


def dataclass(cls=None, **options):
    if cls is None:
        return lambda one: dataclass(one, **options)
    return cls if issubclass(cls, Anything) else dataclasses.dataclass(**options)(cls)


SPECIAL = {
    "PreTrainedModel": PreTrainedModel, "ALL_ATTENTION_FUNCTIONS": AttentionFunctions(), "AutoModel": AutoModel,
    "AutoModelForCausalLM": AutoGenerator, "AutoBackbone": AutoModel, "load_backbone": AutoModel.from_config,
    "GradientCheckpointingLayer": Module, "GenerationMixin": type("GenerationMixin", (), {}),
    "ModelOutput": Anything, "ACT2FN": type("ACT2FN", (dict,), {"__getitem__": lambda *_: stand_in.Layer()})(),
    "ACT2CLS": type("ACT2CLS", (dict,), {"__getitem__": lambda *_: stand_in.Layer})(), "Conv1D": stand_in.Layer,
    "is_torch_available": lambda: True, "requires_backends": lambda *_: None,
    "prune_linear_layer": lambda layer, *_: layer, "apply_chunking_to_forward": lambda f, _, __, *given: f(*given),
    "ClassInstantier": dict, "PytorchGELUTanh": stand_in.Layer, "GELUActivation": stand_in.Layer,
    "select_hidden_states": lambda *_: Value(), "layer_type_validation": lambda *_, **__: None,
    "use_kernelized_func": lambda *_: Value(), "dataclass": dataclass, "AttentionInterface": AttentionFunctions,
    "KVSharingDict": type("KVSharingDict", (dict,), {"__init__": lambda *_: None}),
}

loaded = {}


def resolve(node, file):
    """What the names of an import statement stand for."""
    bound = {}
    if isinstance(node, ast.Import):
        for alias in node.names:
            top = alias.name.partition(".")[0]
            if alias.name in REAL:
                bound[alias.asname or top] = importlib.import_module(alias.name if alias.asname else top)
            elif top == "torch":
                part = torch
                for word in alias.name.split(".")[1:] if alias.asname else ():
                    part = getattr(part, word)
                bound[alias.asname or top] = part
            else:
                bound[alias.asname or top] = stand_in.functions()
        return bound
    folder = file.parent
    for _ in range(node.level - 1):
        folder = folder.parent
    target = folder.joinpath(*(node.module or "").split(".")).with_suffix(".py") if node.level else None
    for alias in node.names:
        bound[alias.asname or alias.name] = resolve_name(node, target, alias.name)
    return bound


def resolve_name(node, target, name):
    module = node.module or ""
    if node.level and target.name.startswith("configuration_") and target.exists():
        path = "transformers." + ".".join(target.relative_to(PACKAGE).with_suffix("").parts)
        return getattr(importlib.import_module(path), name)
    if name in SPECIAL:
        return SPECIAL[name]
    if not node.level and module in REAL:
        return getattr(importlib.import_module(module), name)
    if not node.level and module.partition(".")[0] == "torch":
        part = {"torch": torch, "torch.nn": torch.nn, "torch.nn.functional": torch.nn.functional}.get(module)
        return getattr(part, name) if part else named_anything(name)
    if node.level and target.name == "masking_utils.py":
        return getattr(masking_utils, name)
    if node.level and target.name.startswith("modeling_") and "models" in target.parts and target.exists() \
            and "auto" not in target.parts:
        return load(target)[name]
    return named_anything(name)


def statements(body):
    """A file's statements, those in its conditions too: what is asked for there is there."""
    for node in body:
        if isinstance(node, ast.If) and isinstance(node.test, (ast.Call, ast.Name, ast.Attribute)):
            yield from statements(node.body if "torch" in ast.unparse(node.test) else node.orelse or node.body)
        elif isinstance(node, ast.Try):
            yield from statements(node.body)
        else:
            yield node


class NoChecksOfShapes(ast.NodeTransformer):
    """Takes out assertions, and what is raised about shapes: a Value has none."""

    def visit_Assert(self, node):
        return ast.copy_location(ast.Pass(), node)

    def visit_If(self, node):
        self.generic_visit(node)
        is_check = isinstance(node.body[0], ast.Raise) and not node.orelse
        if is_check and re.search(r"\.(shape|size|dim|ndim)\b", ast.unparse(node.test)):
            return ast.copy_location(ast.Pass(), node)
        return node


def load(file):
    """The names of a model's file."""
    file = pathlib.Path(file)
    if file in loaded:
        return loaded[file]
    names = loaded[file] = {"__name__": "stand_in", "__file__": str(file)}
    rest = []
    for node in statements(ast.parse(file.read_text()).body):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            if getattr(node, "module", "") != "__future__":
                names.update(resolve(node, file))
        else:
            rest.append(node)
    module = NoChecksOfShapes().visit(ast.Module(rest, []))
    exec(compile(module, str(file), "exec", __future__.annotations.compiler_flag, dont_inherit=True), names)
    return names


# What models take beside or instead of input_ids.
INPUTS = ("pixel_values", "input_values", "input_features", "flattened_patches", "bbox", "pixel_values_videos",
          "input_features_mask", "visual_feats", "visual_pos", "feature_lens", "states", "actions", "rewards",
          "returns_to_go", "timesteps", "tgt_sizes", "vision_features")
# What classes leave open or call otherwise than their own models do, and masks do not depend on.
OPEN = {"head_dim": 64, "num_key_value_heads": 1, "n_shared_experts": 1, "vocabulary_map": {}, "num_experts": 1,
        "moe_intermediate_size": 1, "default_language": "en_XX", "top_k_experts": 1, "num_experts_per_tok": 1,
        "n_routed_experts": 1, "n_group": 1, "token_budget": 1, "compress_ratio": 1}
# Attributes that a model asks its configuration for, and the class does not have.
MISSING = {"DbrxAttentionConfig": {"rope_theta": 1e4},
           "Qwen3OmniMoeTalkerTextConfig": {"shared_expert_intermediate_size": 1}}
ROPE = {"HunYuanVLTextConfig": {"mrope_section": [1, 1, 1, 1]}}


class Lenient(dict):
    def __missing__(self, _):
        return Value()


def complete(config):
    config._attn_implementation = "eager"
    for name, value in OPEN.items():
        if config.__dict__.get(name, value) is None:
            setattr(config, name, value)
    for one in (config, *config.__dict__.values()):
        for name, value in MISSING.get(type(one).__name__, {}).items():
            if not hasattr(one, name):
                setattr(one, name, value)
    if getattr(config, "mlp_layer_types", ()) is None:
        config.mlp_layer_types = ["dense"] * config.num_hidden_layers
    if isinstance(getattr(config, "rope_parameters", None), dict):
        known = {key: value for key, value in config.rope_parameters.items() if value is not None}
        known |= ROPE.get(type(config).__name__, {})
        config.__dict__["rope_parameters"] = Lenient(known)


def run(config, model=None):
    """Calls the model once. What ran is in stand_in.events."""
    complete(config)
    model = (model or model_class(config))(config)
    wanted = inspect.signature(model.forward).parameters
    given = {"use_cache": False} if "use_cache" in wanted else {}
    given |= {name: Value() for name, parameter in wanted.items()
              if parameter.default is parameter.empty and parameter.kind is parameter.POSITIONAL_OR_KEYWORD}
    others, first = {name: Value() for name in wanted if name in INPUTS}, None
    if "input_ids" in wanted:
        given["input_ids"] = Value(shape=(1, LENGTH))
    else:
        given |= others or {name: Value() for name in wanted if name == "inputs_embeds"}
    embedded = {name: value for name, value in given.items() if name != "input_ids"} | {"inputs_embeds": Value()}
    for inputs in (given, given | others, embedded):
        events.__init__()
        try:
            model(**inputs)
            return model
        except (ValueError, AttributeError) as problem:
            first = first or problem
    raise first
