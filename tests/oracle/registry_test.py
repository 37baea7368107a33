"""Every model type of transformers' registry: is what `axismask explain` says for certain what the model does?

Files are the classes' defaults, in full, with only the number of layers, and without layer_types; changes of these; and
real files, cut to their keys. The right map comes from running the model over a stand-in for torch (model_run.py), and
not from a table of ours. expected.json has the results of these runs, as they take longer than this test may; a sample
of them is run here again. refusals.json says what may be refused, uncertain, or accepted though transformers does not.
"""

import collections
import json
import multiprocessing
import pathlib
import re
import unittest

import transformers

import model_run
import mutations
import registry
import write_expected

HERE = pathlib.Path(__file__).parent
EXPECTED = json.loads(write_expected.PATH.read_text())
MODEL_TYPES = EXPECTED["model_types"]
ALLOWED = json.loads((HERE / "refusals.json").read_text())
REAL = json.loads((HERE / "real_files.json").read_text())
SAMPLE = sorted(MODEL_TYPES)[7::24]  # whose models are run again

Verdict = collections.namedtuple("Verdict", "name what judgement meant said")


def is_map(meant):
    return not meant.startswith(("refused", "unclear"))


def verdict(name, what, file, meant):
    """Judgements: right, wrong, uncertain, refused, or accepted: certain, and transformers does not take the file."""
    certain, layers, sentence = registry.explained(file)
    if layers is None:
        return Verdict(name, what, "refused", meant, sentence)
    if not certain:
        return Verdict(name, what, "uncertain", meant, layers)
    if meant == "refused":
        return Verdict(name, what, "accepted", meant, layers)
    return Verdict(name, what, "right" if layers == meant else "wrong", meant, layers)


def defaults_of(model_type):
    meant = MODEL_TYPES[model_type]["defaults"]
    return [verdict(model_type, variant, registry.VARIANTS[variant](model_type), meant[variant]) for variant in meant]


def changes_of(model_type):
    meant = [one for one, count in MODEL_TYPES[model_type]["changes"] for _ in range(count)]
    files = list(mutations.of(model_type, MODEL_TYPES[model_type]["few"])) if meant else []
    assert len(files) == len(meant), f"{model_type}: run write_expected.py"
    return [verdict(model_type, what, file, one) for (file, what), one in zip(files, meant, strict=True)]


def real(name):
    file = REAL["files"][name]["config"]
    known = file["model_type"] in registry.MODEL_TYPES
    return [verdict(name, file["model_type"], file, write_expected.meant(file) if known else "unclear: not known")]


def swept(function, names):
    with multiprocessing.Pool(2) as pool:
        return [one for found in pool.imap_unordered(function, names, chunksize=4) for one in found]


def listed(kind):
    """{model type: reason}"""
    return {model_type: entry["reason"] for entry in ALLOWED[kind] for model_type in entry["model_types"]}


class Registry(unittest.TestCase):
    def show(self, found, what):
        for one in sorted(found):
            if one.judgement != "right":
                print(f"{what} {one.judgement}: {one.name}, {one.what}: {one.said}; meant: {one.meant}"[:300])
        counts = collections.Counter(one.judgement for one in found)
        print(f"{what}: {len(found)} files: " + ", ".join(f"{count} {word}" for word, count in counts.most_common()))

    def check_none_wrong(self, found):
        self.assertEqual([one for one in found if one.judgement == "wrong"], [])

    def check_listed(self, found, kind):
        """These model types are those of the list, no more and no less."""
        self.assertEqual(sorted(set(found) - set(listed(kind))), [], f"not in refusals.json, {kind}")
        self.assertEqual(sorted(set(listed(kind)) - set(found)), [], f"in refusals.json, {kind}, and no longer so")

    def test_class_defaults(self):
        found = swept(defaults_of, list(MODEL_TYPES))
        self.show(found, "defaults")
        self.check_none_wrong(found)
        can_be = [one for one in found if is_map(one.meant)]
        not_right = {one.name for one in can_be if one.judgement != "right"}
        of_tokens = {model_type for model_type in not_right if MODEL_TYPES[model_type]["of_tokens"]}
        self.check_listed(of_tokens, "of tokens")
        self.check_listed(not_right - of_tokens, "not of tokens")
        self.check_listed({one.name for one in found if one.judgement == "accepted"}, "accepted")
        for variant in registry.VARIANTS:
            files = [one for one in can_be if one.what == variant and one.name not in listed("not of tokens")]
            right = sum(one.judgement == "right" for one in files)
            print(f"{variant}: {right} right of {len(files)} that a map by positions can express")
            self.assertGreaterEqual(right, 0.95 * len(files), variant)

    def test_changed_files(self):
        found = swept(changes_of, list(MODEL_TYPES))
        self.show(found, "changed")
        self.check_none_wrong(found)
        self.check_listed({one.name for one in found if one.judgement == "accepted"}, "changed and accepted")
        can_be = [one for one in found if is_map(one.meant) and one.name not in listed("of tokens")]
        not_right = sum(one.judgement != "right" for one in can_be)
        print(f"changed: {len(can_be) - not_right} right of {len(can_be)} that a map by positions can express")
        self.assertLessEqual(not_right, ALLOWED["changed, and refused or uncertain"])

    def test_real_files(self):
        found = swept(real, list(REAL["files"]))
        self.show(found, "real")
        self.check_none_wrong(found)
        can_be = [one for one in found if is_map(one.meant)]
        certain = sum(one.judgement == "right" for one in can_be)
        right = sum(one.said == one.meant for one in can_be)
        print(f"real: {right} right of {len(can_be)} that a map by positions can express, {certain} of them certain")
        self.assertGreaterEqual(right, 0.95 * len(can_be))
        self.assertGreaterEqual(len(can_be), 100)
        self.check_listed({one.name for one in can_be if one.judgement != "right"}, "real, and guesses")

    def test_expected_maps_are_what_the_models_do(self):
        self.assertEqual(EXPECTED["transformers"], transformers.__version__, "run write_expected.py")
        self.assertEqual(sorted(MODEL_TYPES), sorted(registry.MODEL_TYPES), "run write_expected.py")
        found = write_expected.of_all(SAMPLE)
        self.assertEqual(len(found), len(SAMPLE))
        for model_type in SAMPLE:
            self.assertEqual(MODEL_TYPES[model_type], found[model_type], f"{model_type}: run write_expected.py")

    def test_composites_whose_tokens_see_each_other(self):
        words = re.compile("or_mask_function|block_sequence_ids")
        files = (model_run.PACKAGE / "models").glob("*/modeling_*.py")
        found = {file.parent.name for file in files if words.search(file.read_text())}
        self.assertEqual(found, (registry.SEE_EACH_OTHER | registry.SEE_NOT) - registry.MADE_OF_OTHERS)


if __name__ == "__main__":
    unittest.main()
