#!/bin/sh
# run.sh PROGRAM TARGET SECONDS FOLDER: fuzzes from the kept inputs; what is found on the way, and an input that fails, goes
# into FOLDER. More of libFuzzer's options come from FUZZ_OPTIONS.
set -eu
program=$1 target=$2 seconds=$3 folder=$4
here=$(dirname "$0")
mkdir -p "$folder/corpus"
dictionary=$here/$target.dict
# shellcheck disable=SC2086
exec "$program" -max_total_time="$seconds" -timeout=100 -rss_limit_mb=2048 -print_final_stats=1 -verbosity="${FUZZ_VERBOSITY:-0}" \
  -artifact_prefix="$folder/" $([ ! -f "$dictionary" ] || echo "-dict=$dictionary") ${FUZZ_OPTIONS:-} \
  "$folder/corpus" "$here/corpus/$target"
