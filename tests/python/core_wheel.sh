# core_wheel.sh WORK PYTHON: the wheel over WORK/prefix, which auditwheel finds fit for its tag; in an empty environment with
# NumPy and nothing else it is complete, is a command, and does what docs/python.md shows.
set -euo pipefail
work=$1 python=$2
here=$(cd "$(dirname "$0")" && pwd)
tree=$(cd "$here/../.." && pwd)
rm -rf "$work/wheel" "$work/empty"
PATH="$(dirname "$python"):$PATH" WHEEL_FOLDER=$work/wheel "$tree/scripts/wheel" --prefix "$work/prefix"
wheel=$(ls "$work"/wheel/axismask-*.whl)
[[ $wheel == *-cp311-abi3-manylinux_*_x86_64.whl || $wheel == *-cp311-abi3-manylinux_*_aarch64.whl ]]

unset PYTHONPATH
"$python" -m venv "$work/empty"
empty=$work/empty/bin/python
"$empty" -m pip install --quiet --disable-pip-version-check --no-deps "$wheel"
# NumPy from the environment of the tests: as it is installed there, but with nothing else.
from=$("$python" -c 'import numpy, pathlib; print(pathlib.Path(numpy.__file__).parent.parent)')
cp -r "$from"/numpy "$from"/numpy.libs "$from"/numpy-*.dist-info "$("$empty" -c 'import sysconfig; print(sysconfig.get_paths()["platlib"])')"
"$empty" -m pip check --disable-pip-version-check
cd "$work/empty"
[ "$("$empty" -m axismask --version)" = "$(bin/axismask --version)" ]
bin/axismask inspect "$tree/examples/gemma3/model.json" | grep -q layers.25
"$empty" -c 'import axismask, importlib.resources as r, json; json.loads((r.files("axismask") / "model.schema.json").read_text()); (r.files("axismask") / "py.typed").read_text()'
"$empty" "$here/core_docs_test.py" numpy
"$empty" "$here/core_examples_test.py"
ls -l "$wheel"
