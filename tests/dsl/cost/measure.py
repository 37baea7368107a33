"""measure.py COMPILER INCLUDE... : what compiling ten_layers.cpp costs. Fails at 5 s of processor time or 1 GiB."""

import pathlib
import resource
import subprocess
import sys

SOURCE = pathlib.Path(__file__).with_name("ten_layers.cpp")
SECONDS = 5.0
GIBIBYTES = 1.0

compiler, *include = sys.argv[1:]
subprocess.run([compiler, "-std=c++20", "-O0", "-c", SOURCE, "-o", "/dev/null", *(f"-I{folder}" for folder in include)],
               check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
seconds = used.ru_utime + used.ru_stime
gibibytes = used.ru_maxrss / 2**20
print(f"ten layers declared and called, -O0: {seconds:.1f} s, {gibibytes:.2f} GiB")
if seconds >= SECONDS or gibibytes >= GIBIBYTES:
    sys.exit(f"that is more than {SECONDS} s or {GIBIBYTES} GiB")
