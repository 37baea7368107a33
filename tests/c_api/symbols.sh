# symbols.sh LIBRARY: what libaxismask.so exports is what symbols.txt lists, and its name and needs are as they should be.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
nm -D --defined-only "$1" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | LC_ALL=C sort | diff -u "$here/symbols.txt" -
readelf -d "$1" | grep -q 'SONAME.*\[libaxismask.so.0\]'
echo "it exports what symbols.txt lists"
