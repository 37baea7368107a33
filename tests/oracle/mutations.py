"""Config files that are one step from the defaults of a class: keys taken away, gates, windows, patterns and lists."""

import copy
import functools
import re

import registry

GONE = object()
LAYERS = 8
# Keys that masks may depend on, by their names.
KEYS = re.compile(
    r"window|chunk_size$|pattern|layer_types$|interval|every_n|idxs$|indices$|attn_layers|attention_layers$|"
    r"block_types|_causal$|bidirectional|no_rope_layer|max_window_layers|layer_period|layer_offset|local_attention|"
    r"is_decoder|attention_types|layers_block_type|hybrid|layer_group|skip_attention|^causal$")
NOT_MASKS = re.compile(r"mlp_layer_types|conv|mamba_chunk|feed_forward|spec_aug|mtp_|vision|^n_|expert|sparsity|^moe_|"
                       r"^chunk_size$")


def text_of(file):
    """The text model's part of a file."""
    return registry.within(file, registry.default_path(file["model_type"]))


@functools.cache
def count_key(model_type):
    """The key of the number of layers; None for classes that have no defaults, or no such number."""
    try:
        key = registry.count_key(registry.CONFIG_MAPPING[model_type]().get_text_config(decoder=True))
        return key if type(text_of(registry.defaults(model_type)).get(key)) is int else None
    except Exception:
        return None


def small(model_type):
    """The class's defaults with few layers."""
    file = registry.defaults(model_type)
    part, key = text_of(file), count_key(model_type)
    count = part[key]
    for name, value in part.items():
        if isinstance(value, list) and len(value) == count:
            part[name] = value[:LAYERS]
    part[key] = min(count, LAYERS)
    if "num_kv_shared_layers" in part:
        part["num_kv_shared_layers"] = 0
    return file


def few_will_do(model_type):
    """Does the class take its defaults with few layers?"""
    return count_key(model_type) is not None and not registry.truth(small(model_type)).startswith("refused")


def values_for(key, value, count):
    """What a key of this kind may be changed to."""
    if isinstance(value, bool):
        return [None, True, False]
    if isinstance(value, list):
        longer = value + value[:1]
        return [None, [], value[:-1], longer, value[::-1], value[:1] * count]
    if re.search(r"window|chunk|local_attention", key) and not re.search("layers|pattern", key):
        return [None, 0, 1, 7, 8, 1 << 20]
    if isinstance(value, int):
        return [None, 0, 1, 2, 3, 100]
    if value is None and re.search("layer_types|layers|idxs|indices|block_type", key):
        words = ["full_attention", "sliding_attention"]
        return [words[:1] * count, (words * count)[:count], list(range(0, count, 2))]
    if value is None:
        return [True, False, 2, 7]
    return [None]


def changes_of(part, count_key):
    """Yields (changes, what is changed) of a text model's part of a file."""
    count = part[count_key]
    yield {}, "few layers"
    yield {count_key: 1}, "1 layer"
    keys = [key for key in part if KEYS.search(key) and not NOT_MASKS.search(key)]
    for key in keys:
        yield {key: GONE}, f"without {key}"
        for value in values_for(key, part[key], count):
            yield {key: value}, f"{key} = {value}"
    yield {key: GONE for key in keys}, "without all of its keys of masks"
    yield {"is_causal": False}, "is_causal = False"
    alternating = (["full_attention", "sliding_attention"] * count)[:count]
    yield {"layer_types": alternating, "sliding_window": 7}, "layer_types and a window of 7"
    if "use_sliding_window" in part:
        for until in (0, 3, 100):
            yield ({"use_sliding_window": True, "sliding_window": 7, "max_window_layers": until, "layer_types": GONE},
                   f"use_sliding_window, max_window_layers = {until}")
    if "layer_types" in part:
        for key in keys:
            for value in values_for(key, part[key], count) if key != "layer_types" else ():
                yield {"layer_types": GONE, key: value}, f"no layer_types, {key} = {value}"


def of(model_type, few):
    """Yields (file, what was changed), with few layers or with all."""
    key = count_key(model_type)
    if key is None:
        return
    base = small(model_type) if few else registry.defaults(model_type)
    for change, what in changes_of(text_of(base), key):
        file = copy.deepcopy(base)
        part = text_of(file)
        for name, value in change.items():
            part.pop(name, None)
            if value is not GONE:
                part[name] = value
        yield file, what
    file = registry.defaults(model_type)
    del text_of(file)[key]
    yield file, "no count"
