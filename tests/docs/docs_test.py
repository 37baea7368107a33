"""What the pages say is true: their C++ compiles, their specs load, their commands print what stands below them.

AXISMASK is the command, CXX a g++. docs_test.py --list prints the blocks that nothing can be done with, and why.
"""

import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import pages
from pages import PAGES, ROOT

AXISMASK = os.environ.get("AXISMASK", "")
CXX = os.environ.get("CXX", "g++")
HERE = pathlib.Path(__file__).parent

BLOCKS = pages.all_blocks()
RUN = [block for block in BLOCKS if block.mark != "not run"]


def of_language(*languages):
    return [block for block in RUN if block.language in languages and block.mark != "excerpt of"]


def is_synopsis(block):
    return block.language == "text" and block.text.startswith("axismask apply ")


def is_compile_error(block):
    return block.language == "text" and block.text.startswith("error: ... axismask: ")


def words(text):
    return " ".join(text.split())


class Pages(unittest.TestCase):
    def test_every_block_is_checked_or_says_why_not(self):
        for block in BLOCKS:
            with self.subTest(block=str(block)):
                known = (
                    block.mark
                    or block.language in ("cpp", "json", "sh", "console")
                    or is_synopsis(block)
                    or is_compile_error(block)
                    or (block.language == "text" and block.text.startswith("scripts/"))
                    or (block.language in ("text", "mermaid") and block.page.name == "design.md")
                    or block.language == "asm"
                    or (block.language == "python" and block.page.name in ("README.md", "python.md"))  # tests/python
                )
                self.assertTrue(known, "no test knows what to do with this block")

    def test_there_are_blocks_of_each_kind(self):
        found = collections.Counter(block.language for block in RUN)
        for language, least in {"cpp": 18, "json": 6, "sh": 2, "console": 4, "cmake": 3}.items():
            self.assertGreaterEqual(found[language], least, language)

    def test_links_lead_somewhere(self):
        checked = 0
        for page in PAGES:
            text = re.sub(r"^```.*?^```|`[^`\n]+`", "", page.read_text(encoding="utf-8"), flags=re.S | re.M)
            for link in re.findall(r"\]\(([^)]+)\)", text):
                if link.startswith("http"):
                    continue
                with self.subTest(page=page.name, link=link):
                    path, _, anchor = link.partition("#")
                    target = (page.parent / path).resolve() if path else page
                    self.assertTrue(target.exists())
                    if anchor:
                        titles = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.M)
                        anchors = [re.sub(r"[^a-z0-9 _-]", "", title.lower()).replace(" ", "-") for title in titles]
                        self.assertIn(anchor, anchors)
                    checked += 1
        self.assertGreater(checked, 20)

    def test_paths_are_there(self):
        """Every path of the tree that a page names in `...`; FILE and <name> stand for a name of one's own."""
        rooms = [path.name for path in ROOT.iterdir()]
        checked = 0
        for page in PAGES:
            for quoted in re.findall(r"`([\w./*-]+)`", page.read_text(encoding="utf-8")):
                if "/" not in quoted or quoted.split("/")[0] not in rooms or quoted.startswith("build/"):
                    continue
                with self.subTest(page=page.name, path=quoted):
                    self.assertTrue(any(ROOT.glob(quoted.rstrip("/"))), "there is no such file")
                    checked += 1
        self.assertGreater(checked, 20)

    def test_headers_are_there(self):
        """Headers are named as they are included: `axismask/model.hpp`."""
        rooms = [ROOT / room / "include" for room in ("dsl", "runtime", "generators")]
        for page in PAGES:
            for header in re.findall(r"`(axismask/[\w/]+\.hpp)`", page.read_text(encoding="utf-8")):
                with self.subTest(page=page.name, header=header):
                    self.assertTrue(any((room / header).exists() for room in rooms))

    def test_excerpts(self):
        excerpts = [block for block in BLOCKS if block.mark == "excerpt of"]
        self.assertGreater(len(excerpts), 2)
        for block in excerpts:
            with self.subTest(block=str(block)):
                lines = [words(line) for line in (ROOT / block.value).read_text(encoding="utf-8").splitlines()]
                for line in filter(None, map(words, block.text.splitlines())):
                    self.assertIn(line, lines)
                    lines = lines[lines.index(line) + 1 :]


class Cpp(unittest.TestCase):
    def test_blocks_compile(self):
        """The fragments of a page are functions of one file; whole programs are files of their own."""
        for page in PAGES:
            fragments = [block for block in of_language("cpp") if block.page == page and not block.mark]
            programs = [block for block in of_language("cpp") if block.page == page and block.mark == "file"]
            sources = ["#include <error.h>\n" + self.at(block, block.text) for block in programs]
            if fragments:
                sources.append(self.file_of(fragments))
            for source in sources:
                with self.subTest(page=page.name):
                    self.compile(source)

    @staticmethod
    def at(block, text):
        return f'#line {block.line} "{block.page.relative_to(ROOT)}"\n{text}'

    def file_of(self, fragments):
        head, body = '#include "prelude.hpp"\n', ""
        for number, block in enumerate(fragments):
            includes = re.findall(r"^#include .*\n", block.text, re.M)
            head += "".join(includes)
            # Lines keep their numbers.
            text = re.sub(r"^#include .*$", "", block.text, flags=re.M)
            if "AXISMASK_LAYER" in text or "template <>" in text:
                body += self.at(block, text)
            else:
                # Where a page says `positions` it means the view, unless it names the namespace.
                view = "" if "positions::" in text else "[[maybe_unused]] const auto& positions = positions_of_tokens; "
                body += f"void block_{number}() {{ {view}{{\n{self.at(block, text)}}} }}\n"
        return head + body

    def compile(self, source):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "page.cpp"
            path.write_text(source, encoding="utf-8")
            result = subprocess.run(
                [CXX, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-Wno-unused-variable",
                 "-Wno-unused-but-set-variable", f"-I{HERE}", f"-I{ROOT}/dsl/include", f"-I{ROOT}/runtime/include", path],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            self.assertEqual(result.returncode, 0, result.stderr[:3000])

    def test_compile_errors_are_those_of_the_checks_page(self):
        said = [block for block in RUN if is_compile_error(block)]
        self.assertGreater(len(said), 1)
        checks = words((ROOT / "dsl" / "CHECKS.md").read_text(encoding="utf-8"))
        for block in said:
            with self.subTest(block=str(block)):
                said_here = words(block.text).removeprefix("error: ... axismask: ")
                self.assertTrue(said_here in checks, f"dsl/CHECKS.md does not have: {said_here}")


class Commands(unittest.TestCase):
    def folder_for(self, page):
        """What the commands of a page find: the files that the page gives, and the folders of the tree that it names."""
        folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        (folder / "bin").mkdir()
        (folder / "bin" / "axismask").symlink_to(AXISMASK)
        for room in ("examples", "docs/pictures", "schemas"):
            shutil.copytree(ROOT / room, folder / room)
        for block in BLOCKS:
            if block.page == page and block.mark == "file":
                pages.write_file(block, folder)
        return folder

    def run_in(self, folder, command):
        environment = {**os.environ, "PATH": f"{folder}/bin:{os.environ['PATH']}"}
        return subprocess.run(
            ["bash", "-c", command], cwd=folder, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip

    def test_transcripts_are_what_the_program_prints(self):
        for block in of_language("console"):
            folder = self.folder_for(block.page)
            transcripts = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block.text, re.M)
            self.assertTrue(transcripts and block.text.startswith("$ "), str(block))
            for command, printed in transcripts:
                with self.subTest(block=str(block), command=command):
                    result = self.run_in(folder, command)
                    # 1 is diff's, for masks that differ.
                    self.assertIn(result.returncode, (0, 1), result.stdout)
                    wanted = "".join(
                        "(?:.*\n)*?" if line == "..." else re.escape(line.rstrip()) + "\n"
                        for line in printed.splitlines()
                    )
                    stdout = "".join(line.rstrip() + "\n" for line in result.stdout.splitlines())
                    self.assertIsNotNone(re.fullmatch(wanted, stdout), f"it prints\n{result.stdout}")

    def test_commands_run(self):
        blocks = [block for block in of_language("sh") if not block.mark]
        self.assertGreater(len(blocks), 0)
        for block in blocks:
            folder = self.folder_for(block.page)
            for command in filter(None, block.text.replace("\\\n", " ").splitlines()):
                with self.subTest(block=str(block), command=command):
                    result = self.run_in(folder, command)
                    self.assertEqual(result.returncode, 0, result.stdout)

    def test_synopsis_names_options_that_are_there(self):
        [synopsis] = [block for block in RUN if is_synopsis(block)]
        top = subprocess.run([AXISMASK, "--help"], capture_output=True, text=True, check=True).stdout
        commands = re.findall(r"^axismask (\w+) +(.*)$", synopsis.text, re.M)
        for command, rest in commands:
            with self.subTest(command=command):
                self.assertRegex(top, rf"(?m)^ +{command}\b")
                text = subprocess.run([AXISMASK, command, "--help"], capture_output=True, text=True, check=True).stdout
                for option in re.findall(r"--[a-z-]+", rest):
                    self.assertIn(option, text)
        listed = re.findall(r"(?m)^  ([a-z]+) ", top.split("ubcommands:")[1].split("\n\n")[0])
        self.assertEqual(sorted(command for command, _ in commands), sorted(listed))


class Json(unittest.TestCase):
    def test_specs_load(self):
        loaded = 0
        for block in of_language("json"):
            with self.subTest(block=str(block)):
                if "axismask" not in json.loads(block.text):
                    self.assertEqual(block.mark, "file", "a config.json is for the commands of its page")
                    continue
                with tempfile.TemporaryDirectory() as folder:
                    path = pathlib.Path(folder) / "spec.json"
                    path.write_text(block.text, encoding="utf-8")
                    result = subprocess.run([AXISMASK, "inspect", path], capture_output=True, text=True, check=False)
                    self.assertEqual((result.returncode, result.stderr), (0, ""))
                    loaded += 1
        self.assertGreater(loaded, 2)


if __name__ == "__main__":
    if "--list" in sys.argv:
        for one in BLOCKS:
            if one.mark == "not run":
                print(f"{one}: {one.value}")
    else:
        unittest.main()
