"""Every configuration of transformers' registry as config files, and what axismask and transformers say about each."""

import copy
import functools
import inspect
import itertools
import json
import logging
import os
import pathlib
import re
import subprocess
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"
logging.disable(logging.ERROR)

from transformers.models.auto.configuration_auto import CONFIG_MAPPING, CONFIG_MAPPING_NAMES

import expected
import by_hand
import model_run
from expected import Unclear

AXISMASK = os.environ["AXISMASK"]
MODEL_TYPES = list(CONFIG_MAPPING_NAMES)

# Composites whose own model makes masks of what tokens are: tokens of an image, or of a prompt, see each other.
SEE_EACH_OTHER = {"colpali", "diffusion_gemma", "gemma3", "gemma4", "gemma4_unified", "git", "molmo2", "paligemma",
                  "pi0", "shieldgemma2"}
ONLY_IF_VISION = {"gemma4", "gemma4_unified"}  # if the text model's use_bidirectional_attention is "vision"
# Files that have the same words, and not for that: vision encoders, and text models, which are run.
SEE_NOT = {"deepseek_ocr2", "hrm_text", "step3p7", "unlimited_ocr"}
# shieldgemma2 is made of gemma3, colpali of paligemma.
MADE_OF_OTHERS = {"colpali", "shieldgemma2"}


# ------------------------------------------------------------------------------------------------------ Files


def defaults(model_type):
    """The class's defaults as transformers writes them, all of them."""
    config = CONFIG_MAPPING[model_type]()
    return json.loads(config.to_json_string(use_diff=False))


def text_path(config):
    """The keys from a configuration to its text model's."""
    text = config.get_text_config(decoder=True)
    if text is config:
        return ()
    for key in config.sub_configs or {}:
        inner = getattr(config, key, None)
        if inner is text:
            return (key,)
        if hasattr(inner, "get_text_config") and inner.get_text_config(decoder=True) is text:
            return (key, *text_path(inner))
    return ()


@functools.cache
def default_path(model_type):
    return text_path(CONFIG_MAPPING[model_type]())


def within(file, path):
    for key in path:
        file = file.get(key) or {}
    return file


def count_key(config):
    return type(config).attribute_map.get("num_hidden_layers", "num_hidden_layers")


def only_the_count(model_type):
    """The file with the model types and the number of layers."""
    config = CONFIG_MAPPING[model_type]()
    path = text_path(config)
    text = config.get_text_config(decoder=True)
    file = {"model_type": model_type}
    inner, outer = file, config
    for key in path:
        outer = getattr(outer, key)
        inner[key] = {"model_type": outer.model_type}
        inner = inner[key]
    count = text.to_dict().get(count_key(text))
    if isinstance(count, int):
        inner[count_key(text)] = count
    return file


def without_layer_types(model_type):
    file = copy.deepcopy(defaults(model_type))
    text = within(file, default_path(model_type))
    text.pop("layer_types", None)
    return file


VARIANTS = {"in full": defaults, "only the count": only_the_count, "without layer_types": without_layer_types}


# ------------------------------------------------------------------------------------------------------ Both sides


def written(layers):
    """A map as text: `3 full, sliding 4096` for three full layers and one that slides."""
    words = [kind if size is None else f"{kind} {size}" for kind, size in layers]
    runs = [(word, len(list(run))) for word, run in itertools.groupby(words)]
    return ", ".join(word if count == 1 else f"{count} {word}" for word, count in runs)


folder = functools.cache(tempfile.TemporaryDirectory)


def explained(file):
    """(certain, map, sentence) by axismask; the map is None where the file is refused."""
    path = pathlib.Path(folder().name) / f"{os.getpid()}.json"
    path.write_text(json.dumps(file))
    done = subprocess.run([AXISMASK, "explain", path, "--json"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sentence = done.stderr.strip().replace(str(path), "config.json")
        assert done.returncode == 2 and re.fullmatch(r"axismask: error\[[a-z-]+\] [^\n]+", sentence), (file, done)
        return False, None, sentence
    said = json.loads(done.stdout)
    assert sorted(said) == ["certain", "layers", "model_type", "rule", "scores", "warnings"], said
    # A token that sees itself alone does so from one side, from both, and in a chunk.
    layers = [("sliding" if layer["visible_keys"] == 1 else layer["attention"], layer["visible_keys"])
              for layer in said["layers"]]
    return said["certain"], written(layers), said["rule"]


@functools.cache
def mapped(kind, text):
    """What layer_map says of a configuration, once for all files that mean the same."""
    config = kind.from_dict(json.loads(text))
    try:
        return written(expected.layer_map(config))
    except Unclear as reason:
        return f"unclear: {reason}"
    except Exception as problem:
        # Some models make the mask that slides for no layer, and ask for its size.
        no_window = "Could not find a `sliding_window` argument" in str(problem)
        if no_window and "sliding_attention" not in (getattr(config, "layer_types", None) or ()):
            return mapped(kind, json.dumps(json.loads(text) | {"sliding_window": 1}))
        return f"refused: does not run: {type(problem).__name__}: {problem}".partition("\n")[0]


def composites(config):
    """The configurations from a composite to its text model, without the text model."""
    found = []
    for key in text_path(config):
        found.append(config)
        config = getattr(config, key)
    return found


def without(part, key):
    """The file without what is null under this key."""
    if isinstance(part, dict):
        return {name: without(value, key) for name, value in part.items() if name != key or value is not None}
    return part


def truth(file):
    """The map by transformers as text; or `refused: ...`, `unclear: ...`: it reads no such file, has no such map."""
    kind = CONFIG_MAPPING[file["model_type"]]
    try:
        config = kind.from_dict(kind._decode_special_floats(copy.deepcopy(file)))
    except Exception as problem:
        # A null that its class does not take is as if the key was not there.
        null = re.search(r"Field '(\w+)' expected \S+, got NoneType", str(problem))
        if null and without(file, null[1]) != file:
            return truth(without(file, null[1]))
        return "refused: " + re.sub(r"\s+", " ", f"{type(problem).__name__}: {problem}")
    if config.is_encoder_decoder:
        return "unclear: encoder and decoder"
    if file["model_type"] in by_hand.READ:
        return written(by_hand.layer_map(config))
    try:
        text = config.get_text_config(decoder=True)
        before = composites(config)
        meaning = json.dumps(text.to_dict(), sort_keys=True, default=str)
    except Exception as problem:
        return f"refused: {type(problem).__name__}: {problem}".partition("\n")[0]
    for outer in before:
        by_choice = outer.model_type in ONLY_IF_VISION
        if outer.model_type in SEE_EACH_OTHER and not (by_choice and text.use_bidirectional_attention != "vision"):
            return "unclear: tokens see each other by what they are"
    return mapped(type(text), meaning)


@functools.cache
def is_of_tokens(model_type):
    """Does its text model take tokens, and not images or sound?"""
    try:
        text = CONFIG_MAPPING[model_type]().get_text_config(decoder=True)
        return "input_ids" in inspect.signature(model_run.model_class(text).forward).parameters
    except Exception:  # no defaults, or no model of its own
        return False
