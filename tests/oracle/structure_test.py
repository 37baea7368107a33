"""Our layers as trees against penzai's own: colours, fields, leaves and their order, keys, and what is an error.

AXISMASK_STRUCTURE_FACTS is the program of structure_facts.cpp, which prints ours.
"""

import dataclasses
import itertools
import json
import os
import random
import string
import subprocess
import unittest

import jax
from penzai import pz
from penzai.core import struct
from penzai.nn import attention
from treescope import formatting_util

FACTS = os.environ["AXISMASK_STRUCTURE_FACTS"]

# The layers, with the values that structure_facts.cpp gives them.
LAYERS = {
    "ApplyCausalAttentionMask": attention.ApplyCausalAttentionMask(-1e9),
    "ApplyCausalSlidingWindowAttentionMask": attention.ApplyCausalSlidingWindowAttentionMask(-2.5, 512),
    "ApplyExplicitAttentionMask": attention.ApplyExplicitAttentionMask("mask", -7.0),
}


def facts(*arguments):
    run = subprocess.run([FACTS, *arguments], check=True, capture_output=True, text=True)
    return json.loads(run.stdout)


def pairs(mapping):
    return [list(pair) for pair in mapping.items()]


def penzais_facts(layer):
    """What structure_facts.cpp prints, asked of penzai."""
    leaves, structure = layer.tree_flatten_with_keys()
    return {
        "color": layer.treescope_color(),
        "attributes": pairs(layer.attributes_dict()),
        "leaves": [[str(key), leaf] for key, leaf in leaves],
        "child_field_names": structure.child_field_names,
        "static_fields": pairs(structure.static_fields),
    }


class Structure(unittest.TestCase):
    maxDiff = None

    def test_each_layer_is_the_tree_that_penzais_is(self):
        ours = facts()
        self.assertEqual(list(ours), list(LAYERS))
        for name, layer in LAYERS.items():
            for how in ("static", "dynamic"):
                with self.subTest(layer=name, how=how):
                    self.assertEqual(ours[name][how], penzais_facts(layer))

    def test_penzai_has_no_other_mask_layer(self):
        """The list of classes in color.hpp is whole."""
        masks = {name for name, value in vars(attention).items()
                 if isinstance(value, type) and issubclass(value, struct.Struct)
                 and value.__module__ == attention.__name__ and name.endswith("Mask")}
        self.assertEqual(masks, set(LAYERS))

    def test_the_leaves_are_jaxs(self):
        """Not only of the method: jax itself finds the same leaves at the same paths."""
        for name, layer in LAYERS.items():
            leaves, _ = jax.tree_util.tree_flatten_with_path(layer)
            found = [[jax.tree_util.keystr(path), leaf] for path, leaf in leaves]
            self.assertEqual(facts()[name]["static"]["leaves"], found)

    def test_colors_are_treescopes_for_any_name(self):
        chance = random.Random(0)
        names = ["a" * length for length in (1, 54, 55, 56, 63, 64, 65, 119, 120, 1000)]
        names += ["é", "mask.面具"]
        names += ["".join(chance.choices(string.ascii_letters + "._", k=chance.randrange(1, 80))) for _ in range(2000)]
        # A hue that is a whole number, which Python prints with ".0".
        names.append(next(name for name in map(str, itertools.count())
                          if ".0 / 1.0)" in formatting_util.color_from_string(name)))
        ours = facts(*names)
        for name in names:
            self.assertEqual(ours[name], formatting_util.color_from_string(name), name)


class Semantics(unittest.TestCase):
    """penzai's answers to what our tests (tests/dsl/structure_test.cpp, tests/compile_fail) ask of ours."""

    def setUp(self):
        self.layer = attention.ApplyCausalSlidingWindowAttentionMask(-1e9, 512)
        self.unbound = self.layer.select().at(lambda layer: layer.sliding_window_size).set(pz.ParameterSlot("window"))

    @staticmethod
    def value(label, number):
        return pz.ParameterValue(label=label, value=number)

    def test_select_gives_a_new_layer(self):
        at_size = self.layer.select().at(lambda layer: layer.sliding_window_size)
        self.assertEqual(at_size.set(1024), dataclasses.replace(self.layer, sliding_window_size=1024))
        self.assertEqual(at_size.apply(lambda size: 2 * size).sliding_window_size, 1024)
        self.assertEqual(at_size.get(), 512)
        self.assertEqual(self.layer.sliding_window_size, 512)

    def test_a_name_cannot_be_selected(self):
        with self.assertRaisesRegex(ValueError, "not found in the tree"):
            self.layer.select().at(lambda layer: layer.seq_axis)

    def test_from_attributes_takes_all_fields_and_no_other(self):
        fields = self.layer.attributes_dict()
        self.assertEqual(type(self.layer).from_attributes(**fields), self.layer)
        for wrong in ({**fields, "other": 1}, {name: fields[name] for name in list(fields)[:-1]}):
            with self.assertRaisesRegex(ValueError, "Incorrect fields"):
                type(self.layer).from_attributes(**wrong)

    def test_tree_unflatten_is_the_inverse(self):
        leaves, structure = self.layer.tree_flatten()
        self.assertEqual(type(self.layer).tree_unflatten(structure, leaves), self.layer)
        with self.assertRaises(AssertionError):
            type(self.layer).tree_unflatten(structure, leaves[:1])

    def test_variables(self):
        self.assertEqual(self.unbound.tree_flatten()[0], [-1e9, pz.ParameterSlot("window")])
        bound = self.unbound.bind_variables([self.value("window", 7)])
        self.assertEqual(bound.sliding_window_size.value, 7)
        with self.assertRaisesRegex(ValueError, "Did not find any matching slots"):
            self.unbound.bind_variables([self.value("windows", 7)])
        self.assertEqual(self.unbound.bind_variables([self.value("windows", 7)], allow_unused=True), self.unbound)
        with self.assertRaisesRegex(ValueError, "Repeated slot"):
            self.unbound.bind_variables([self.value("window", 7)] * 2)
        self.assertEqual(self.unbound.bind_variables([]), self.unbound)

    def test_one_variable_is_bound_in_several_leaves(self):
        both = self.unbound.select().at(lambda layer: layer.masked_out_value).set(pz.ParameterSlot("window"))
        bound = both.bind_variables([self.value("window", 7)])
        self.assertEqual((bound.masked_out_value.value, bound.sliding_window_size.value), (7, 7))

    def test_a_stateless_call_gives_the_result_and_the_values(self):
        # penzai's mask layers cannot read a variable, so the layer here is one that can.
        @pz.pytree_dataclass
        class Times(pz.nn.Layer):
            factor: object

            def __call__(self, argument, /, **side_inputs):
                return argument * self.factor.value

        result, values = Times(pz.StateVariableSlot("factor")).stateless_call(
            [pz.StateVariableValue(label="factor", value=3)], 5)
        self.assertEqual((int(result), [(one.label, int(one.value)) for one in values]), (15, [("factor", 3)]))
        with self.assertRaisesRegex(ValueError, "Did not find any matching slots"):
            Times(pz.StateVariableSlot("factor")).stateless_call([pz.StateVariableValue(label="f", value=3)], 5)


if __name__ == "__main__":
    unittest.main()
