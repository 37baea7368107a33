# subdirectory.sh WORK CMAKE HALIDE_DIR PYTHON: builds the README's first program in a project that adds axismask's tree as
# a subdirectory, for one target, without optimisation and in a unity build: that alone takes minutes. For clang++-19 it is
# configured only.
set -euo pipefail
work=$1 cmake=$2 halide=$3 python=$4
here=$(cd "$(dirname "$0")" && pwd)
tree=$(cd "$here/../.." && pwd)
rm -rf "$work"
"$python" "$tree/tests/docs/pages.py" project "$work/readme"
cp -r "$here/subdirectory" "$work/project"
cp "$work/readme/first/first.cpp" "$work/project"
cd "$work/project"
for compiler in g++ clang++-19; do
  "$cmake" -S . -B $compiler -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O0 -DHalide_DIR="$halide" \
    -DCMAKE_CXX_COMPILER=$compiler -DCMAKE_UNITY_BUILD=ON -DAXISMASK_TREE="$tree" "-DAXISMASK_TARGETS=sse41=x86-64-linux-sse41"
done
"$cmake" --build g++ -j 2 --target first
g++/first >first.printed
diff -u "$work/readme/first.expected" first.printed
echo "axismask works as a subdirectory"
