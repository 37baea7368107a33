"""The Python of docs/python.md runs, and prints what stands below it: core_docs_test.py LIBRARY...

The blocks of the page are one program after another, section by section. A block that needs more than NumPy says so in a
line before it, `<!-- needs: jax -->`; it runs where that library is among the arguments. A block of text with
`<!-- prints: python -->` before it is what the program printed since the last such block.
"""

import contextlib
import io
import pathlib
import re
import sys
import traceback

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "python.md"
BLOCK = re.compile(r"(?:<!-- ([a-z ]+): (.+) -->\n)?^```(\w+)\n(.*?)^```$", re.S | re.M)


def blocks_of(section):
    for found in BLOCK.finditer(section):
        yield found[1] or "", found[2] or "", found[3], found[4], found.start(4)


def run_section(section, first_line, libraries):
    """Runs a section's blocks; returns how many."""
    names, printed, ran = {"__name__": "page"}, io.StringIO(), 0
    for mark, value, language, text, start in blocks_of(section):
        line = first_line + section[:start].count("\n")
        if language == "python" and mark not in ("not run", "excerpt of") and set(value.split() if mark == "needs" else []) <= libraries:
            code = compile("\n" * (line - 1) + text, str(PAGE), "exec")
            with contextlib.redirect_stdout(printed):
                exec(code, names)
            ran += 1
        if language == "text" and mark == "prints" and ran:
            got = "".join(row.rstrip() + "\n" for row in printed.getvalue().splitlines())
            if got != text:
                sys.exit(f"{PAGE.name}:{line}: it prints\n{got}")
            printed = io.StringIO()
    if printed.getvalue():
        sys.exit(f"{PAGE.name}: a section prints what the page does not show:\n{printed.getvalue()}")
    return ran


def main(libraries):
    text = PAGE.read_text(encoding="utf-8")
    starts = [0, *(found.start() for found in re.finditer(r"^## ", text, re.M)), len(text)]
    ran = 0
    for begin, end in zip(starts, starts[1:]):
        try:
            ran += run_section(text[begin:end], text[:begin].count("\n") + 1, libraries)
        except Exception:
            traceback.print_exc()
            sys.exit(1)
    if ran < 5:
        sys.exit(f"only {ran} blocks ran")
    print(f"{ran} blocks of {PAGE.name} ran, with {' '.join(sorted(libraries))}")


main(set(sys.argv[1:]))
