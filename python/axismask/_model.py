"""Models: the layers of a spec, or of a Hugging Face model's config."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

from . import _native
from ._errors import Error
from ._layer import Layer

_TAKE_GUESS, _STRICT, _IMAGES = 1, 2, 4


def _at(place: str, spec: Any) -> Any:
    """Returns what a JSON pointer points to."""
    for part in place.split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        spec = spec[int(part)] if isinstance(spec, list) else spec[part]
    return spec


class Model:
    """The mask layers of a model. `load`, `parse` and `from_config` make one; it is not changed after that.

    Attributes:
        layers: its layers, in the model's order.
        warnings: of a config, the lines of what it says that the masks do not have; else empty.
    """

    def __init__(self, handle: object, warnings: list[str] | None = None) -> None:
        self._handle = handle
        self.warnings: list[str] = warnings or []
        self.layers: tuple[Layer, ...] = tuple(Layer(self, *one) for one in _native.layers(handle))
        self._by_handle = {layer._handle: layer for layer in self.layers}

    def layer(self, name: str) -> Layer:
        """Returns the layer of that name. Raises Error (spec-layer-name), which names the nearest, when there is none."""
        return self._by_handle[_native.find_layer(self._handle, name)]

    def to_json(self) -> str:
        """Returns the model's spec, of which `parse` makes the same model again."""
        return _native.to_json(self._handle)

    @functools.cached_property
    def _masks(self) -> dict[str, dict[str, Any]]:
        # A spec that the library wrote has the places of its own layers.
        text = self.to_json()
        spec = json.loads(text)
        return {name: _at(place, spec) for _, name, _, _, place in _native.layers(_native.parse(text, "spec"))}

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    def __repr__(self) -> str:
        return f"<axismask.Model of {len(self.layers)} layers>"


def _json_of(given: Any, argument: str) -> str:
    try:
        return json.dumps(given)
    except (TypeError, ValueError) as problem:
        raise Error("argument-type", argument, f"it is no JSON: {problem}",
                    "give its text, or a dict of numbers, texts, lists and dicts") from None


def load(path: str | os.PathLike[str]) -> Model:
    """Reads a model spec from a file (docs/models.md has the format). Raises Error for what is wrong with it."""
    return Model(_native.load(os.fspath(path)))


def parse(spec: str | Mapping[str, Any], source: str = "spec") -> Model:
    """Reads a model spec from its JSON text, or from a dict of it; `source` stands for the file in errors."""
    return Model(_native.parse(spec if isinstance(spec, str) else _json_of(spec, "spec"), source))


def from_config(config: Any, *, guess: bool = False, strict: bool = False, images: bool = False) -> Model:
    """Makes a model of a Hugging Face model's config, by the rules of transformers' own code.

    Args:
        config: the path of a config.json, or a dict of it, or a config object of transformers.
        guess: take a map that is a guess; else that is an Error (config-guess).
        strict: refuse a config of which there is a warning.
        images: make the masks for images, too.
    """
    flags = _TAKE_GUESS * guess + _STRICT * strict + _IMAGES * images
    if isinstance(config, (str, os.PathLike)):
        return Model(*_native.import_config(os.fspath(config), None, "config", flags))
    found = config if isinstance(config, Mapping) else getattr(config, "to_dict", dict)()
    if not found:
        raise Error("argument-type", "config", f"it is a {type(config).__name__} of nothing",
                    "give the path of a config.json, a dict of it, or a config of transformers")
    return Model(*_native.import_config(None, _json_of(found, "config"), "config", flags))


def load_layers(path: str | os.PathLike[str]) -> None:
    """Loads a shared library of layers of your own, which CMake's `axismask_add_layers(... PLUGIN)` made.

    Specs know their types from then on, until the program ends. Loading it again does nothing. Raises Error
    (layers-load, layers-version, layer-ambiguous), and then nothing is loaded.
    """
    _native.load_layers(os.fspath(path))
