"""mutate.py BUILD [--sample N] [--seed S] [COMPONENT...]: changes the code in small ways, and asks whether a test sees it.

A mutant is one file with one change: an operator, a constant, a condition, a statement that is left out. It is compiled as
the build compiles that file, linked before the library into test programs, and these run until one fails or hangs: it is
killed. One that does not compile, or makes the same object code, does not count. EQUIVALENT lists those that were looked at
and change nothing that a caller can see, with the reason. Needs a build with tests (scripts/mutate makes it).
"""

import argparse
import concurrent.futures
import contextlib
import hashlib
import json
import os
import pathlib
import queue
import random
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = ROOT / "runtime/src"
COMPONENTS = {  # files, and test programs with what of them runs, the quickest to kill first
    "planner": (sorted(SOURCE.glob("plan/*.cpp")),
                [("plan_test", "*"), ("apply_test", "*"), ("differential_test", "*"), ("mask_test", "spans.*:variant/mask_variants.*/sse41"), ("work_test", "*"), ("forms_test", "*"), ("serving_test", "*")]),
    "binder": (sorted(SOURCE.glob("arrays/*.cpp")),
               [("apply_test", "*"), ("differential_test", "*"), ("mask_rows_test", "*"), ("plan_test", "*"), ("mask_test", "*"), ("kernel_test", "*/sse41"), ("empty_rows_test", "*"), ("device_test", "*/opencl")]),
    "loader": (sorted(SOURCE.glob("spec/*.cpp")),
               [("model_test", "*"), ("layer_structure_test", "*"), ("huggingface_test", "*-*EveryWrongByte*"), ("inspect_test", "*")]),
}
# (file, text of the line, change): why nobody can see it. A change says which place, where a line has several.
EQUIVALENT = json.loads((pathlib.Path(__file__).parent / "equivalent.json").read_text())

CHANGES = [  # a pattern of tokens, and what becomes of it
    (r"(?<![<\->=!+*/&|])<=(?!>)", ["<"]), (r"(?<![<\->=])>=", [">"]), (r" < ", [" <= "]), (r" > ", [" >= "]),
    (r"==", ["!="]), (r"!=", ["=="]), (r"&&", ["||"]), (r" \|\| ", [" && "]),
    (r" \+ ", [" - "]), (r" - ", [" + "]), (r" \* ", [" / "]), (r" / ", [" * "]), (r" % ", [" / "]),
    (r"\+\+", ["--"]), (r" \+= ", [" -= "]), (r" -= ", [" += "]), (r"!(?=[a-z(])", [""]),
    (r"\bstd::min\b", ["std::max"]), (r"\bstd::max\b", ["std::min"]), (r"\btrue\b", ["false"]), (r"\bfalse\b", ["true"]),
    (r"(?<![\w.'])0(?![\w.'])", ["1"]), (r"(?<![\w.'])1(?![\w.'])", ["0", "2"]), (r"(?<![\w.'])([2-9]|[1-9]\d+)(?![\w.'])", ["+1"]),
]


def code_only(text):
    """The text with comments and literals blanked out, each character in its place."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group())
    return re.sub(r'//[^\n]*|/\*.*?\*/|R"\((?:.|\n)*?\)"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', blank, text, flags=re.S)


def mutants_of(file):
    """Each as (line number, what changes, the mutated text)."""
    text = file.read_text()
    code = code_only(text)
    skipped = re.compile(r"^\s*(#|template|namespace|using|static_assert|constexpr json_file|\})")
    offset = 0
    for number, (line, bare) in enumerate(zip(text.split("\n"), code.split("\n")), 1):
        if not skipped.match(bare) and "template" not in bare:
            for pattern, others in CHANGES:
                matches = list(re.finditer(pattern, bare))
                for place, match in enumerate(matches, 1):
                    which = f", place {place}" if len(matches) > 1 else ""
                    for other in others:
                        new = str(int(match.group()) + 1) if other == "+1" else other
                        at = offset + match.start()
                        yield number, f"{match.group().strip()} -> {new.strip() or 'nothing'}{which}", (
                            text[:at] + new + text[at + len(match.group()):])
            # A statement that is left out; a condition that never holds.
            if re.match(r"^\s+[a-z_][\w.>\[\]()-]*(\(.*\)| [+|&-]?= .*);$", bare) and not re.match(r"^\s*(return|const|auto|throw)\b", bare):
                yield number, "left out", text[:offset] + re.sub(r"\S.*", ";", line) + text[offset + len(line):]
            match = re.match(r"^\s*if \(", bare)
            if match and bare.rstrip().endswith(("{", ";")):
                at = offset + match.end()
                yield number, "never", text[:at] + "false && " + text[at:]
        offset += len(line) + 1


class Build:
    def __init__(self, folder):
        self.folder = folder
        commands = json.loads((folder / "compile_commands.json").read_text())
        self.compile = {pathlib.Path(one["file"]).resolve(): one["command"] for one in commands}
        self.links = {}

    def object_of(self, file, text, out):
        """Compiles the text in the place of the file; the hash of the code, or None."""
        mutated = out / file.name
        mutated.write_text(text)
        command = self.compile[file.resolve()]
        command = re.sub(r"^\S*ccache ", "", command)
        command = re.sub(r" -o \S+ -c \S+", f" -I{file.parent} -g0 -o {out}/mutant.o -c {mutated}", command)
        command = re.sub(r" -MD | -MT \S+| -MF \S+", " ", command)
        done = subprocess.run(command, shell=True, cwd=self.folder, capture_output=True)
        if done.returncode != 0:
            return None
        subprocess.run(["objcopy", "--strip-debug", out / "mutant.o", out / "bare.o"], check=True)
        return hashlib.sha256((out / "bare.o").read_bytes()).hexdigest()

    def link(self, program, out):
        if program not in self.links:
            said = subprocess.run(["ninja", "-t", "commands", f"bin/{program}"], cwd=self.folder, capture_output=True, text=True)
            last = next(line for line in reversed(said.stdout.splitlines()) if f"-o bin/{program}" in line)
            self.links[program] = re.search(r"&& (\S+ .*? -o) bin/\S+ (.*?) && ", last).groups()
        start, rest = self.links[program]
        objects, rest = re.match(rf"(.*?) -o$", start).group(1), rest
        command = f"{objects} {out}/mutant.o -o {out}/{program} {rest}"
        subprocess.run(command, shell=True, cwd=self.folder, check=True, capture_output=True)
        return out / program


def runs_well(program, tests, limit):
    try:
        done = subprocess.run([program, f"--gtest_filter={tests}", "--gtest_fail_fast", "--gtest_brief=1"], capture_output=True, timeout=limit)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def is_equivalent(file, line_text, change):
    return next((one["why"] for one in EQUIVALENT if one["file"] == str(file.relative_to(ROOT)) and
                 one["line"] == line_text.strip() and one["change"] == change), None)


class Trial:
    """What becomes of a component's mutants."""

    def __init__(self, build, programs, folder):
        self.build, self.programs = build, programs
        self.folders = queue.SimpleQueue()  # one for each mutant that is tried at a time
        for one in folder:
            self.folders.put(pathlib.Path(one))
        self.originals, self.limits = {}, {}

    def prepare(self, files):
        """The object code without a mutant, and how long the tests take."""
        out = self.folders.get()
        for file in files:
            self.originals[file] = self.build.object_of(file, file.read_text(), out)
        for program, tests in self.programs:
            start = time.monotonic()
            if not runs_well(self.build.link(program, out), tests, 600):
                sys.exit(f"{program} fails without a mutant")
            self.limits[program] = 10 * (time.monotonic() - start) + 10
        self.folders.put(out)

    def result_of(self, mutant):
        file, number, change, text = mutant
        out = self.folders.get()
        try:
            code = self.build.object_of(file, text, out)
            if code is None:
                return "not compiled"
            if code == self.originals[file]:
                return "same code"
            if is_equivalent(file, line_of(mutant), change):
                return "equivalent"
            for program, tests in self.programs:
                if not runs_well(self.build.link(program, out), tests, self.limits[program]):
                    return "killed"
            return "survived"
        finally:
            self.folders.put(out)


def line_of(mutant):
    file, number, _, _ = mutant
    return file.read_text().split("\n")[number - 1].strip()


def try_component(build, name, sample, seed, jobs):
    files, programs = COMPONENTS[name]
    every = [(file, *mutant) for file in files for mutant in mutants_of(file)]
    chosen = random.Random(seed).sample(every, min(sample, len(every)))
    with contextlib.ExitStack() as folders:
        trial = Trial(build, programs, [folders.enter_context(tempfile.TemporaryDirectory()) for _ in range(jobs)])
        trial.prepare(sorted({mutant[0] for mutant in chosen}))
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            results = []
            for mutant, result in zip(chosen, pool.map(trial.result_of, chosen)):
                results.append(result)
                if result == "survived":
                    print(f"survived: {mutant[0].relative_to(ROOT)}:{mutant[1]}: {mutant[2]}: {line_of(mutant)}", flush=True)
    counts = {result: results.count(result) for result in ("killed", "survived", "equivalent", "same code", "not compiled")}
    judged = counts["killed"] + counts["survived"]
    score = counts["killed"] / judged if judged else 1
    print(f"{name}: {len(chosen)} of {len(every)} mutants: " + ", ".join(f"{count} {what}" for what, count in counts.items())
          + f"; {score:.1%} killed", flush=True)
    return score


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--sample", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--list", action="store_true", help="only count the mutants")
    parser.add_argument("components", nargs="*", default=list(COMPONENTS))
    options = parser.parse_intermixed_args()
    if options.list:
        for name in options.components or COMPONENTS:
            print(name, sum(1 for file in COMPONENTS[name][0] for _ in mutants_of(file)))
        return 0
    build = Build(options.build.resolve())
    scores = [try_component(build, name, options.sample, options.seed, options.jobs) for name in options.components or COMPONENTS]
    return 0 if min(scores) >= 0.9 else 1


if __name__ == "__main__":
    sys.exit(main())
