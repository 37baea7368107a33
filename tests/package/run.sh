# run.sh BUILD WORK CMAKE HALIDE_DIR PYTHON HALIDE_INCLUDE: installs the build, builds projects against what was installed, in folders
# that have nothing else of axismask, and compares what they print: examples/chunked, examples/decode, and the README's
# project by the README's own commands, by make and with the Debian package; and the programs of linking/, in every way to
# link. Then the headers, and the sizes.
set -euo pipefail
build=$1 work=$2 cmake=$3 halide=$4 python=$5 halide_include=$6
here=$(cd "$(dirname "$0")" && pwd)
tree=$(cd "$here/../.." && pwd)
rm -rf "$work/prefix" "$work/project" "$work/decode" "$work/skip" "$work/c" "$work/make" "$work/readme" "$work/home" "$work/find"
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

cp -r "$tree/examples/skip" "$work/skip"
cd "$work/skip"
"$cmake" -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$work/prefix"
"$cmake" --build build
[ "$(build/skip)" = "70 of 256 tiles computed, 28 of them masked; equal to attention over all keys" ]

# Versions and components.
devices=$(cd "$work/prefix/lib" && ls | sed -n 's/^libaxismask_layers_\(.*\)\.a$/\1/p' | paste -sd ';')
"$cmake" -S "$here/find" -B "$work/find" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" "-DDEVICES=$devices" >"$work/find.log" ||
  { cat "$work/find.log" >&2; exit 1; }

# By make and pkg-config, with what the Debian package installs, and by CMake with clang.
bash "$here/deb.sh" "$build" "$work/deb" "$cmake"
usr=$work/deb/root/usr
cp -r "$here/make" "$work/make"
cp "$work/readme/first/first.cpp" "$work/make"
cd "$work/make"
for compiler in g++ clang++-19; do
  PKG_CONFIG_PATH=$usr/lib/pkgconfig make -B CXX=$compiler first attend
  [ "$(./attend)" = " 0 0.5 1 1.5 2" ]
  ./first >first.printed
  diff -u ../readme/first.expected first.printed
done
[ "$(PKG_CONFIG_PATH=$usr/lib/pkgconfig pkg-config --modversion axismask)" = 0.1.0 ]
"$cmake" -S "$work/readme/first" -B "$work/make/cmake" -G Ninja -DCMAKE_PREFIX_PATH="$usr" -DCMAKE_CXX_COMPILER=clang++-19
"$cmake" --build "$work/make/cmake"
cmake/first >first.printed
diff -u ../readme/first.expected first.printed

# A program in C, by the shared library and by the static one.
cp -r "$here/c" "$work/c"
cp "$tree/examples/c/decode.c" "$work/c"
"$cmake" -S "$work/c" -B "$work/c/build" -G Ninja -DCMAKE_PREFIX_PATH="$usr"
"$cmake" --build "$work/c/build"
for library in shared static; do "$work/c/build/$library" | diff -u "$tree/examples/c/printed.txt" -; done

bash "$here/linking/linking.sh" "$work/prefix" "$work/linking" "$cmake"
bash "$here/headers.sh" "$work/prefix" "$work/headers" "$halide_include"
bash "$here/size.sh" "$work/prefix" "$work/size" "$work/readme/first/first.cpp"
echo "an installed axismask works for a project of its own"
