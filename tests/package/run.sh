# run.sh BUILD WORK CMAKE HALIDE_DIR: installs the build, builds examples/chunked against what was installed, in a folder
# that has nothing else of axismask, and compares what it prints.
set -euo pipefail
build=$1 work=$2 cmake=$3 halide=$4
here=$(cd "$(dirname "$0")" && pwd)
rm -rf "$work/prefix" "$work/project"
"$cmake" --install "$build" --prefix "$work/prefix" >"$work/install.log"
cp -r "$here/../../examples/chunked" "$work/project"
cd "$work/project"
"$cmake" -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$work/prefix" -DHalide_DIR="$halide"
"$cmake" --build build -j 2
build/chunked model.json | tee printed.txt
diff -u "$here/printed.txt" printed.txt
build/chunked-axismask inspect model.json | tee inspected.txt
grep -q 'ApplyPaddedChunkedAttentionMask *(q - left_padding) / 4 == (k - left_padding) / 4 && q >= k' inspected.txt
echo "an installed axismask works for a project of its own"
