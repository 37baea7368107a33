# Set-up for the other scripts: what they need beyond bash and python3. Sourced, not run; quick when all is there.
#   need_packages PACKAGE...   Debian packages, by root or sudo
#   need_venv FILE...          .venv with the wheels of these requirement files, which scripts/pin writes
#   need_peers FOLDER FILE     an environment for a benchmark's peers: they are large, and nothing else needs them
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '\n== %s\n' "$*"; }

need_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  local as_root=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "axismask: these packages are needed: ${missing[*]}; install them, or give this user sudo" >&2; exit 2; }
    as_root=(sudo)
  fi
  say "Installing ${missing[*]}"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -q >build/apt.log 2>&1 || { cat build/apt.log >&2; exit 1; }
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" \
    >>build/apt.log 2>&1 || { tail -20 build/apt.log >&2; exit 1; }
}

# What a requirement file is for, without what that needs in turn.
asked_for() { grep -v '^#' "${1%.txt}.in" | tr '\n' ' '; }

need_venv() {
  [ -x .venv/bin/python ] || python3 -m venv .venv
  local file
  for file in "$@"; do
    # Pinned files: installed once, and again when the file changes.
    local stamp=".venv/$(echo "$file" | tr / _).installed"
    cmp -s "$file" "$stamp" && continue
    say "Installing $(asked_for "$file")into .venv"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$file"
    cp "$file" "$stamp"
  done
  export PATH="$PWD/.venv/bin:$PATH"
}

need_peers() {
  cmp -s "$2" "$1/installed.txt" && return
  say "Installing $(asked_for "$2")into $1: 6 GB, once"
  [ -x "$1/bin/python" ] || python3 -m venv "$1"
  "$1/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$2"
  cp "$2" "$1/installed.txt"
}

mkdir -p build
# The compiler, the libraries and the build tools; and what tests and benchmarks need besides.
build_packages=(g++ ninja-build python3-venv libboost-dev nlohmann-json3-dev libcli11-dev
                libstb-dev fonts-dejavu-core)
test_packages=(clang-19 libclang-rt-19-dev llvm-19 clang-format-19 clang-tidy-19 libgtest-dev librapidcheck-dev
               libbenchmark-dev libvalijson-dev locales valgrind rustc
               g++-aarch64-linux-gnu qemu-user pocl-opencl-icd ocl-icd-libopencl1
               make pkg-config dpkg-dev lld)
