"""The schema of model specs, as other readers see it: a draft-07 validator that is not ours (jsonschema) accepts every
example and rejects every bad spec that a schema can know. model_test.cpp reads the same bad specs."""

import json
import pathlib
import unittest

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "schemas/model.schema.json").read_text())
SPECS = ["schemas/examples/*.json", "examples/*/model.json", "docs/pictures/*.json"]
EXAMPLES = sorted(path for pattern in SPECS for path in ROOT.glob(pattern))
BAD_SPECS = json.loads((ROOT / "tests/runtime/bad_specs.json").read_text())
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)


def places(schema, pointer=""):
    """Every subschema that stands for a value of its own, with its place."""
    yield pointer, schema
    for name, part in schema.get("properties", {}).items():
        yield from places(part, f"{pointer}/properties/{name}")
    for name, part in schema.get("definitions", {}).items():
        yield from places(part, f"{pointer}/definitions/{name}")
    for index, part in enumerate(schema.get("anyOf", [])):
        yield from places(part, f"{pointer}/anyOf/{index}")


def window_spec(window):
    return {
        "axismask": 1,
        "model": "m",
        "layers": [
            {
                "name": "a",
                "type": "ApplyCausalSlidingWindowAttentionMask",
                "masked_out_value": "lowest",
                "sliding_window_size": window,
            }
        ],
    }


class SchemaTest(unittest.TestCase):
    def test_schema_is_draft_07(self):
        self.assertEqual(SCHEMA["$schema"], "http://json-schema.org/draft-07/schema#")
        jsonschema.Draft7Validator.check_schema(SCHEMA)

    def test_id_names_no_host(self):
        self.assertEqual(SCHEMA["$id"], "axismask/model.schema.json")

    def test_every_key_has_a_description(self):
        for pointer, part in places(SCHEMA):
            with self.subTest(pointer or "/"):
                if "$ref" in part:
                    part = SCHEMA["definitions"][part["$ref"].removeprefix("#/definitions/")]
                self.assertGreater(len(part.get("description", "")), 10)

    def test_every_example_is_valid(self):
        self.assertGreaterEqual(len(EXAMPLES), 5)
        for path in EXAMPLES:
            with self.subTest(str(path.relative_to(ROOT))):
                VALIDATOR.validate(json.loads(path.read_text()))

    def test_every_example_finds_the_schema(self):
        for path in EXAMPLES:
            spec = json.loads(path.read_text())
            if "$schema" in spec:
                with self.subTest(str(path.relative_to(ROOT))):
                    self.assertTrue((path.parent / spec["$schema"]).samefile(ROOT / "schemas/model.schema.json"))

    def test_whole_numbers_may_be_written_with_a_point(self):
        for window in (1, 512.0, 2**53 - 1, {"axis": "heads", "values": [1.0, 2]}):
            with self.subTest(window):
                VALIDATOR.validate(window_spec(window))

    def test_bad_specs_are_rejected(self):
        names = [bad["name"] for bad in BAD_SPECS]
        self.assertEqual(len(names), len(set(names)))
        for bad in BAD_SPECS:
            with self.subTest(bad["name"]):
                self.assertEqual(VALIDATOR.is_valid(bad["spec"]), not bad["schema_knows"])

    def test_bad_specs_are_rejected_at_their_place(self):
        for bad in BAD_SPECS:
            if bad["schema_knows"] and bad["where"].startswith("/"):
                with self.subTest(bad["name"]):
                    where = bad["where"].split("/")[1:]
                    if bad["id"] == "spec-unknown-key":
                        where.pop()  # a schema names the object, and we the key
                    errors = VALIDATOR.iter_errors(bad["spec"])
                    found = [[str(step) for step in error.absolute_path] for error in errors]
                    # A window is an anyOf, one number or many, of which a validator names no inner place.
                    self.assertTrue({tuple(where), tuple(where[:3])} & {tuple(place) for place in found}, found)



if __name__ == "__main__":
    unittest.main()
