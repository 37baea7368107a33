# linking.sh PREFIX WORK CMAKE: links programs against the installed axismask in every way that has lost layers, with the
# compilers of `compilers`. Each prints its masked rows, or the sentence that is wanted.
set -euo pipefail
prefix=$1 work=$2 cmake=$3
here=$(cd "$(dirname "$0")" && pwd)
rm -rf "$work"
cp -r "$here" "$work"
cd "$work"
fail() { echo "linking: $1" >&2; exit 1; }
same() { printf '%s\n' "$2" | diff -u - <(eval "$1") || fail "$1"; }

both=$'by type: 1 0 0 \nby spec: 1 0 0 '
for compiler in g++ clang++-19; do
  compile="$compiler -std=c++20 -I$prefix/include -fPIC"
  libraries="-L$prefix/lib -laxismask_layers -laxismask_runtime"
  for unit in by_type by_spec; do $compile -c $unit.cpp; done

  # A call that names its type needs no more than the library's name, and so does a spec beside it.
  $compile main.cpp by_type.o by_spec.o $libraries -o plain
  same ./plain "$both"
  # A static library in between.
  rm -f libengine.a && ar rcs libengine.a by_type.o by_spec.o
  $compile main.cpp -L. -lengine $libraries -o between
  same ./between "$both"
  # What the linker throws away as unused is not the layers.
  $compile -ffunction-sections -Wl,--gc-sections main.cpp by_type.o by_spec.o $libraries -o collected
  same ./collected "$both"

  # A spec asks for the shipped layers, in whatever order the libraries are given.
  $compile -DONLY_BY_SPEC main.cpp by_spec.o $libraries -o spec
  same ./spec "by spec: 1 0 0 "
  $compile -DONLY_BY_SPEC main.cpp by_spec.o -L"$prefix/lib" -laxismask_runtime -laxismask_layers -laxismask_runtime -o spec
  same ./spec "by spec: 1 0 0 "
  $compile -DONLY_BY_SPEC -fuse-ld=lld main.cpp by_spec.o $libraries -o spec
  same ./spec "by spec: 1 0 0 "
  # Without them the message says what to write.
  $compile -DONLY_BY_SPEC main.cpp by_spec.o -L"$prefix/lib" -laxismask_runtime -o spec
  ./spec | grep -q 'error\[spec-layer-type\].*without CMake that takes -Wl,--undefined=axismask_library_NAME -lNAME' ||
    fail "a spec whose types are not linked: $(./spec)"

  # A composition brings its own kernels, and no other's.
  $compile composition.cpp $libraries -o composition
  same ./composition $'1 0 0 \nall(ApplyCausalAttentionMask, ApplyDocumentAttentionMask)'

  # A layer without a library does not link, and the linker names it.
  if $compile own_call.cpp $libraries -o own 2>own.log; then fail "a call without kernels has linked"; fi
  grep -q 'axismask_kernels_of_ApplyOwnMask' own.log || fail "$(cat own.log)"
  if $compile -DINVERSE composition.cpp $libraries -o own 2>own.log; then fail "a composition without kernels has linked"; fi
  grep -q 'axismask_compositions_of_ApplyDocumentAttentionMask_[0-9]' own.log || fail "$(cat own.log)"

  # A plugin has its own, whether or not the program that loads it has one, and shows its symbols.
  $compile -shared plugin.cpp by_type.o by_spec.o $libraries -o plugin.so
  $compile -rdynamic host.cpp $libraries -o host
  same ./host $'the host\'s libraries: 0\n'"$both"
  $compile -rdynamic host.cpp by_type.o -Wl,--undefined=axismask_library_axismask_layers $libraries -o host
  same ./host $'the host\'s libraries: 1\n'"$both"
done
# Optimisation over the whole program: a call that names its type needs no more, a spec needs all layers from the start.
for options in "" -Wl,--gc-sections; do
  compile="g++ -std=c++20 -O2 -flto $options -I$prefix/include"
  $compile -DONLY_BY_TYPE main.cpp by_type.cpp $libraries -o whole
  same ./whole "by type: 1 0 0 "
  $compile composition.cpp $libraries -o whole
  same ./whole $'1 0 0 \nall(ApplyCausalAttentionMask, ApplyDocumentAttentionMask)'
  $compile main.cpp by_type.cpp by_spec.cpp -Wl,--undefined=axismask_library_axismask_layers $libraries -o whole
  same ./whole "$both"
done

"$cmake" -S . -B build -G Ninja -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_DISABLE_FIND_PACKAGE_Halide=ON >configure.log
"$cmake" --build build >build.log || { cat build.log; exit 1; }
same build/both "$both"
same build/only_by_spec "by spec: 1 0 0 "
same build/whole "$both"
if "$cmake" -S . -B own -G Ninja -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_DISABLE_FIND_PACKAGE_Halide=ON -DOWN_LAYERS=ON \
  >own.log 2>&1; then fail "kernels without Halide"; fi
grep -q 'axismask_add_layers(own_layers): it needs Halide 21 to make kernels' own.log || fail "$(cat own.log)"
echo "every program found its layers"
