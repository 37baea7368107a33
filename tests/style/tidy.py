"""tidy.py CLANG_TIDY BUILD FOLDER: clang-tidy over the C++ files of a folder, by the flags that BUILD compiles them with.

Most of clang-tidy's time goes to headers, so that the files of a folder are read as one text: runtime/src/command took 52 s,
and its 16 files one by one, beside other work, 171 s. Where it finds something, each file is read alone, for its name and
line. So no two files of a folder may have names of their own that are alike.

The analyzer of paths has all its steps: with a third of them (max-nodes) runtime/src/c_api took 56 s and not 117, and of two
faults put there that it finds, it missed one.
"""

import itertools
import json
import pathlib
import re
import subprocess
import sys
import tempfile

HEADERS = r"/(dsl|examples|generators|runtime)/"


def flags_of(command):
    """What a compiler is told of a file, without the file."""
    command = re.sub(r" -o \S+ -c \S+", "", command)
    return re.sub(r"^(\S*ccache )?\S+ ", "", command).replace("\\\"", "\"").split() + [
        "-Wno-unknown-warning-option", "-Wno-ignored-gch"]


def tidied(clang_tidy, config, file, flags):
    return subprocess.run([clang_tidy, "--quiet", f"--config={config}", f"--header-filter={HEADERS}", file, "--", *flags],
                          capture_output=True, text=True)


def findings(clang_tidy, folder, files, flags):
    """What clang-tidy says of the files; nothing where all is well."""
    config = subprocess.run([clang_tidy, "--dump-config", files[0], "--"], check=True, capture_output=True, text=True).stdout
    with tempfile.TemporaryDirectory() as scratch:
        together = pathlib.Path(scratch) / "together.cpp"
        together.write_text("".join(file.read_text() for file in files))
        done = tidied(clang_tidy, config, together, [*flags, f"-I{folder}"])
    if done.returncode == 0:
        return ""
    alone = [one.stdout + one.stderr for one in (tidied(clang_tidy, config, file, flags) for file in files) if one.returncode]
    return "\n".join(alone) or f"alone each file is well, and together they are not:\n{done.stdout}{done.stderr}"


def main():
    clang_tidy, build, folder = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]).resolve()
    commands = {pathlib.Path(one["file"]): one["command"]
                for one in json.loads((build / "compile_commands.json").read_text())
                if pathlib.Path(one["file"]).parent == folder}
    if set(commands) != set(folder.glob("*.cpp")):
        sys.exit(f"{folder} has files that {build} does not compile: {set(folder.glob('*.cpp')) ^ set(commands)}")
    key = lambda file: flags_of(commands[file])
    for flags, files in itertools.groupby(sorted(commands, key=lambda file: (key(file), file)), key):
        if said := findings(clang_tidy, folder, list(files), flags):
            sys.exit(said)


if __name__ == "__main__":
    main()
