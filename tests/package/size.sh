# size.sh PREFIX WORK FIRST.CPP: how large a program of axismask is, stripped. FIRST.CPP calls one mask; that must stay
# below 600 kB, and have nothing in it of devices, specs and the command.
set -euo pipefail
prefix=$1 work=$2 first=$3
limit=600000
rm -rf "$work"
mkdir -p "$work"
cd "$work"
g++ -std=c++20 -O2 -I "$prefix/include" -c "$first" -o first.o

# size_of NAME OPTIONS...: links the program, and prints its size.
size_of() {
  local name=$1
  shift
  g++ first.o -L "$prefix/lib" "$@" -laxismask_layers -laxismask_runtime -o "$name"
  strip -o stripped "$name"
  stat -c %s stripped
}
one=$(size_of one)
collected=$(size_of one-collected -Wl,--gc-sections)
all="-Wl,--undefined=axismask_library_axismask_layers"
{
  echo "| linked | bytes, stripped |"
  echo "|---|---|"
  echo "| one layer, for the processor | $one |"
  echo "| the same with -Wl,--gc-sections | $collected |"
  echo "| every layer, for the processor | $(size_of all $all) |"
  for device in cuda opencl; do
    [ -e "$prefix/lib/libaxismask_layers_$device.a" ] || continue
    library=axismask_layers_$device
    echo "| every layer, for the processor and $device | $(size_of $device $all -Wl,--undefined=axismask_library_$library -l$library) |"
  done
} | tee sizes.md

nm -C one >symbols
! grep -E 'nlohmann|axismask::Model|CLI::|halide_(cuda|opencl)_' symbols ||
  { echo "a program that calls one layer has these in it" >&2; exit 1; }
[ "$(nm -C one | grep -c ' axismask_record_')" = 1 ] || { echo "not one layer is linked" >&2; exit 1; }
for size in $one $collected; do
  [ "$size" -lt $limit ] || { echo "one mask takes $size bytes, and no more than $limit are wanted" >&2; exit 1; }
done
