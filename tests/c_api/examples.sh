# examples.sh BUILD WORK CMAKE: installs the library in C into an empty prefix, builds the examples in C (by make) and in
# Rust against what is there, and compares what they print.
set -eu
build=$1 work=$2 cmake=$3
tree=$(cd "$(dirname "$0")/../.." && pwd)
rm -rf "$work"
mkdir -p "$work"
"$cmake" --install "$build" --prefix "$work/prefix" --component c >"$work/install.log"
libraries=$(dirname "$(find "$work/prefix" -name libaxismask.so)")
export PKG_CONFIG_PATH="$libraries/pkgconfig" LD_LIBRARY_PATH="$libraries"
cp -r "$tree/examples/c" "$tree/examples/rust" "$work"
cd "$work/c"
for compiler in gcc clang-19; do
  CFLAGS=-Werror make -B CC=$compiler
  ./decode | diff -u "$tree/examples/c/printed.txt" -
done
cd "$work/rust"
rustc -D warnings --edition 2021 decode.rs -L "$libraries" -l axismask
./decode | diff -u "$tree/examples/c/printed.txt" -
echo "the examples in C and in Rust work with an installed library"
