# run.sh BUILD WORK CMAKE HALIDE_DIR PYTHON: installs the build, builds projects against what was installed, in folders
# that have nothing else of axismask, and compares what they print: examples/chunked, examples/decode, and the README's
# project by the README's own commands; and the programs of linking/, in every way to link.
set -euo pipefail
build=$1 work=$2 cmake=$3 halide=$4 python=$5
here=$(cd "$(dirname "$0")" && pwd)
tree=$(cd "$here/../.." && pwd)
rm -rf "$work/prefix" "$work/project" "$work/decode" "$work/readme" "$work/home"
"$cmake" --install "$build" --prefix "$work/prefix" >"$work/install.log"
cp -r "$tree/examples/chunked" "$work/project"
cd "$work/project"
"$cmake" -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$work/prefix" -DHalide_DIR="$halide"
"$cmake" --build build -j 2
build/chunked model.json | tee printed.txt
diff -u "$here/printed.txt" printed.txt
build/chunked-axismask inspect model.json | tee inspected.txt
grep -q 'ApplyPaddedChunkedAttentionMask *(q - left_padding) / 4 == (k - left_padding) / 4 && q >= k' inspected.txt

# The README has the tree in ~/axismask and installs to ~/.local.
export HOME=$work/home
mkdir -p "$HOME"
ln -s "$tree" "$HOME/axismask"
ln -s "$work/prefix" "$HOME/.local"
"$python" "$tree/tests/docs/pages.py" project "$work/readme"
cd "$work/readme/first"
PATH="$(dirname "$cmake"):$PATH" bash -e build.sh
build/first >first.printed
diff -u ../first.expected first.printed

cp -r "$tree/examples/decode" "$work/decode"
cd "$work/decode"
# The shipped layers need no Halide.
"$cmake" -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$work/prefix" \
  -DCMAKE_DISABLE_FIND_PACKAGE_Halide=ON
"$cmake" --build build
build/decode >decode.printed
diff -u "$work/readme/decode.expected" decode.printed

bash "$here/linking/linking.sh" "$work/prefix" "$work/linking" "$cmake"
echo "an installed axismask works for a project of its own"
