"""No file of the product has more than 500 lines. (clang-tidy holds the lengths of functions: readability-function-size.)"""

import pathlib
import sys

ROOT = pathlib.Path(__file__).parents[2]
MOST = 500
GENERATED = {"schemas/model.schema.json"}

files = [
    path
    for folder in ("cmake", "dsl", "examples", "generators", "python", "runtime", "schemas", "scripts")
    for path in (ROOT / folder).rglob("*")
    if path.is_file() and path.suffix in {".hpp", ".cpp", ".in", ".cmake", ".txt", ".py", ".sh", ".json"}
]
long_ones = []
for path in files:
    lines = path.read_text().count("\n")
    if lines > MOST and path.relative_to(ROOT).as_posix() not in GENERATED:
        long_ones.append(f"{path.relative_to(ROOT)} has {lines} lines, and the most is {MOST}")
if len(files) < 100:
    sys.exit("there are too few files: where are they?")
if long_ones:
    sys.exit("\n".join(long_ones))
