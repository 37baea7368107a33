# headers.sh PREFIX WORK HALIDE_INCLUDE: each installed header compiles alone by g++, and all of them together by clang, with
# the warnings that users may have on. It is included twice, so that one without `#pragma once` is found too. uses.cpp
# calls what is a template, which shows its warnings where it is used.
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
# Boost's and Halide's are not ours. Syntax only: with g++ 12, std::string gives a false alarm (GCC bug 105651).
options=(-std=c++20 -fsyntax-only $warnings -I "$prefix/include" -isystem "$halide")
printf '%s\0' *.cpp | xargs -0 -P 2 -n 1 g++ "${options[@]}" || { echo "a header does not compile alone with g++" >&2; exit 1; }
# The same text and the same library: clang finds no other missing include, but other warnings.
cat *.cpp >all.cc
clang++-19 -x c++ "${options[@]}" all.cc || { echo "the headers do not compile with clang" >&2; exit 1; }
echo "every header compiles alone"
