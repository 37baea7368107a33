"""Every compile-time check with its message, as a page: dsl/CHECKS.md, made from the cases beside this file.

page.py --write writes the page; without, it fails unless the page is what it would write.
"""

import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent
PAGE = HERE.parents[1] / "dsl" / "CHECKS.md"

HEAD = """# What the compiler checks

Each mistake, and what g++ says of it in its error line. clang says the same without the names in the sentence, and
prints the types with their names beside it. Each is a test: `tests/compile_fail`, from which this page is made
(`python3 tests/compile_fail/page.py --write`).

"""


def case(path):
    lines = path.read_text().splitlines()
    message = re.fullmatch(r"// expect: (.*)", lines[0])[1].replace('\\"', '"').replace("\\'", "'")
    described = []
    for line in lines[2:]:
        if line in ("// several errors", "// stands alone"):
            continue
        if not line.startswith("// "):
            break
        described.append(line[3:])
    return f"**{' '.join(described)}**\n\n```\n{message}\n```\n"


def main():
    page = HEAD + "\n".join(case(path) for path in sorted(HERE.glob("*.cpp")))
    if "--write" in sys.argv:
        PAGE.write_text(page)
    elif not PAGE.exists() or PAGE.read_text() != page:
        sys.exit(f"{PAGE} is not what its cases say; run: python3 tests/compile_fail/page.py --write")


if __name__ == "__main__":
    main()
