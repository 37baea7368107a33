# package.sh BUILD WORK CMAKE PYTHON: installs the build to WORK/prefix and makes WORK/build/package, the Python package.
set -euo pipefail
build=$1 work=$2 cmake=$3 python=$4
tree=$(cd "$(dirname "$0")/../.." && pwd)
"$cmake" --install "$build" --prefix "$work/prefix" >"$work/install.log"
"$cmake" -S "$tree/python" -B "$work/build" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" -DPython_EXECUTABLE="$python" \
  -DCMAKE_EXPORT_COMPILE_COMMANDS=ON
"$cmake" --build "$work/build" -j 2
PYTHONPATH=$work/build/package "$python" -c 'import axismask; print(axismask.__version__)'
