"""`python -m axismask` is the command `axismask`, which the package has in it."""

import os
import pathlib
import sys


def main() -> None:
    command = pathlib.Path(__file__).parent / "bin" / "axismask"
    os.execv(command, ["axismask", *sys.argv[1:]])


if __name__ == "__main__":
    main()
