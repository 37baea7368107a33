# headers.sh PREFIX WORK HALIDE_INCLUDE: each installed header compiles alone, with the warnings that users may have on, by
# g++ and by clang. It is included twice, so that one without `#pragma once` is found too. uses.cpp calls what is a
# template, which shows its warnings where it is used.
set -euo pipefail
prefix=$1 work=$2 halide=$3
here=$(cd "$(dirname "$0")" && pwd)
rm -rf "$work"
mkdir -p "$work"
cd "$work"
(cd "$prefix/include" && find axismask -name '*.hpp' | sort) >headers
[ "$(wc -l <headers)" -gt 60 ] || { echo "there are only $(wc -l <headers) headers in $prefix/include" >&2; exit 1; }
while read -r header; do
  printf '#include "%s"\n#include "%s"\n' "$header" "$header" >"${header//\//-}.cpp"
done <headers
cp "$here/uses.cpp" .
warnings="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Werror"
for compiler in g++ clang++-19; do
  # Boost's and Halide's are not ours. With g++ 12, std::string gives a false alarm (GCC bug 105651).
  printf '%s\0' *.cpp | xargs -0 -P 2 -n 1 $compiler -std=c++20 -fsyntax-only $warnings -I "$prefix/include" -isystem "$halide" ||
    { echo "a header does not compile alone with $compiler" >&2; exit 1; }
done
echo "every header compiles alone"
