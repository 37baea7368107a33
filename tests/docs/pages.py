"""The blocks of README.md, CONTRIBUTING.md and docs/*.md, and what is to be done with each.

A line before a block may say it in a comment:
  <!-- file: PATH -->          the block is that file: of the first-call project, or for the commands further down the page
  <!-- prints: PROGRAM -->     what a program of the project prints (tests/package)
  <!-- excerpt of: PATH -->    its lines stand in that file of the tree, in this order
  <!-- prints: python -->      what the Python before it prints (tests/python/core_docs_test.py)
  <!-- needs: LIBRARY -->      Python that needs more than NumPy
  <!-- not run: REASON -->     nothing can be done with it here

pages.py project FOLDER writes the README's project into a folder: its files, and PROGRAM.expected for what they print.
"""

import dataclasses
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
MARKS = ("file", "prints", "needs", "excerpt of", "not run")
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.S | re.M)


@dataclasses.dataclass
class Block:
    page: pathlib.Path
    line: int  # of the block's first line of text
    language: str
    text: str
    mark: str = ""
    value: str = ""

    def __str__(self):
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks_of(page):
    text = page.read_text(encoding="utf-8")
    blocks = []
    for fence in FENCE.finditer(text):
        before = text[: fence.start()]
        lines = before.splitlines()
        mark = re.fullmatch(r"\s*<!-- ([a-z ]+): (.+) -->", lines[-1]) if lines else None
        if mark and mark[1] not in MARKS:
            raise ValueError(f"{page.name}: there is no mark {mark[1]!r}")
        blocks.append(
            Block(page, before.count("\n") + 2, fence[2], re.sub(f"^{fence[1]}", "", fence[3], flags=re.M),
                  *(mark.groups() if mark else ()))
        )  # fmt: skip
    if text.count("```") != 2 * len(blocks):
        raise ValueError(f"{page.name}: a block is not closed")
    return blocks


def all_blocks():
    return [block for page in PAGES for block in blocks_of(page)]


def write_file(block, folder):
    path = folder / block.value
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block.text, encoding="utf-8")


def write_project(folder):
    for block in blocks_of(ROOT / "README.md"):
        if block.mark == "file":
            write_file(block, folder)
        elif block.mark == "prints":
            (folder / (pathlib.Path(block.value).name + ".expected")).write_text(block.text, encoding="utf-8")


if __name__ == "__main__":
    [_, command, folder] = sys.argv
    assert command == "project"
    write_project(pathlib.Path(folder))
