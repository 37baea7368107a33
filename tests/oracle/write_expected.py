"""Writes expected.json: what each file of the registry test means to transformers, by running its models.

To run each model for each file takes about five minutes on two cores, more than the registry test has. So that test
reads the results from expected.json, and runs a part of the models (SAMPLE in registry_test.py) to see that they are
still these. When transformers, the files or the code that finds the maps change, run

    python tests/oracle/write_expected.py

For each model type: of_tokens, does it read tokens; few, does its class take few layers; defaults, the maps of the
files of registry.VARIANTS; changes, those of mutations.of in their order, as [map, for how many files in a row]. A map
is text as registry.written gives it; where there is none it is "unclear: why", or "refused".
"""

import itertools
import json
import multiprocessing
import os
import pathlib

os.environ.setdefault("AXISMASK", "")  # the command is not asked

import transformers

import mutations
import registry

PATH = pathlib.Path(__file__).parent / "expected.json"


def meant(file):
    found = registry.truth(file)
    return "refused" if found.startswith("refused") else found


def of_model_type(model_type):
    """What stands in expected.json under a model type."""
    defaults = {}
    for variant, make in registry.VARIANTS.items():
        try:
            defaults[variant] = meant(make(model_type))
        except Exception:  # a class that has no defaults
            continue
    of_tokens = registry.is_of_tokens(model_type)
    few = of_tokens and mutations.few_will_do(model_type)
    changes = [meant(file) for file, _ in mutations.of(model_type, few)] if of_tokens else []
    runs = [[one, len(list(run))] for one, run in itertools.groupby(changes)]
    return model_type, {"of_tokens": of_tokens, "few": few, "defaults": defaults, "changes": runs}


def of_all(model_types):
    with multiprocessing.Pool(2) as pool:
        return dict(pool.imap_unordered(of_model_type, model_types, chunksize=2))


def main():
    found = of_all(registry.MODEL_TYPES)
    lines = [f"{json.dumps(model_type)}: {json.dumps(found[model_type])}" for model_type in sorted(found)]
    version = json.dumps(transformers.__version__)
    PATH.write_text(f'{{\n"transformers": {version},\n"model_types": {{\n' + ",\n".join(lines) + "\n}\n}\n")


if __name__ == "__main__":
    main()
