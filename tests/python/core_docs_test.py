"""The Python of README.md and docs/python.md runs, and prints what stands below it: core_docs_test.py LIBRARY...

The blocks of a page are one program after another, section by section. A block that needs more than NumPy says so in a
line before it, `<!-- needs: jax -->`; it runs where that library is among the arguments. A block of text with
`<!-- prints: python -->` before it is what the program printed since the last such block.
"""

import contextlib
import io
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).parents[2]
PAGES = (ROOT / "README.md", ROOT / "docs" / "python.md")
BLOCK = re.compile(r"(?:<!-- ([a-z ]+): ([^\n]+) -->\n)?^```(\w+)\n(.*?)^```$", re.S | re.M)


def blocks_of(section):
    for found in BLOCK.finditer(section):
        yield found[1] or "", found[2] or "", found[3], found[4], found.start(4)


def run_section(page, section, first_line, libraries):
    """Runs the blocks of a page's section; returns how many."""
    names, printed, ran = {"__name__": "page"}, io.StringIO(), 0
    for mark, value, language, text, start in blocks_of(section):
        line = first_line + section[:start].count("\n")
        if language == "python" and mark not in ("not run", "excerpt of") and (
                mark != "needs" or set(value.split()) <= libraries):
            code = compile("\n" * (line - 1) + text, str(page), "exec")
            with contextlib.redirect_stdout(printed):
                exec(code, names)
            ran += 1
        if language == "text" and (mark, value) == ("prints", "python") and ran:
            got = "".join(row.rstrip() + "\n" for row in printed.getvalue().splitlines())
            if got != text:
                sys.exit(f"{page.name}:{line}: it prints\n{got}")
            printed = io.StringIO()
    if printed.getvalue():
        sys.exit(f"{page.name}: a section prints what the page does not show:\n{printed.getvalue()}")
    return ran


def run_page(page, libraries):
    text = page.read_text(encoding="utf-8")
    starts = [0, *(found.start() for found in re.finditer(r"^## ", text, re.M)), len(text)]
    return sum(run_section(page, text[begin:end], text[:begin].count("\n") + 1, libraries)
               for begin, end in zip(starts, starts[1:]))


def main(libraries):
    ran = [run_page(page, libraries) for page in PAGES]
    if ran[0] < 1 or ran[1] < 5:
        sys.exit(f"only {ran} blocks ran")
    print(f"{ran} blocks of {', '.join(page.name for page in PAGES)} ran, with {' '.join(sorted(libraries))}")


main(set(sys.argv[1:]))
