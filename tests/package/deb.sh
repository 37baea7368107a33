# deb.sh BUILD WORK CMAKE: makes the Debian package and installs it in a root of its own, WORK/root: dpkg unpacks and
# configures it there (its script runs ldconfig, without a change of root, since nothing else is in it). Checks that the
# command runs and completes, and that the page and the licences are there. Paths are absolute.
set -euo pipefail
build=$1 work=$2 cmake=$3
rm -rf "$work"
mkdir -p "$work/root/var/lib/dpkg/info" "$work/root/var/lib/dpkg/updates" "$work/root/var/log"
touch "$work/root/var/lib/dpkg/status"
fail() { echo "deb: $1" >&2; exit 1; }
"$(dirname "$cmake")/cpack" -G DEB --config "$build/CPackConfig.cmake" -B "$work/made" >"$work/cpack.log" 2>&1 ||
  { cat "$work/cpack.log" >&2; exit 1; }
deb=$(echo "$work"/made/axismask_*.deb)
dpkg-deb --field "$deb" Depends | grep -q 'libboost-dev.*libc6\|libc6.*libboost-dev' || fail "it depends on $(dpkg-deb --field "$deb" Depends)"
dpkg --root="$work/root" --force-not-root --force-depends --force-script-chrootless --install "$deb" >"$work/dpkg.log" 2>&1 || { cat "$work/dpkg.log" >&2; exit 1; }
dpkg-query --admindir="$work/root/var/lib/dpkg" -W -f '${Status} ${Version}\n' axismask | grep -qx 'install ok installed 0.1.0' ||
  fail "dpkg says: $(dpkg-query --admindir="$work/root/var/lib/dpkg" -W axismask)"

usr=$work/root/usr
[ "$("$usr/bin/axismask" --version)" = "axismask 0.1.0" ] || fail "the command does not run"
for path in share/doc/axismask/LICENSE share/doc/axismask/THIRD_PARTY_NOTICES.md share/doc/axismask/CHANGELOG.md \
  share/axismask/model.schema.json share/zsh/site-functions/_axismask share/fish/vendor_completions.d/axismask.fish; do
  [ -s "$usr/$path" ] || fail "there is no $path"
done

# Each subcommand and each option of its help is on the man page and in the completions.
page=$(sed 's/\\-/-/g' "$usr/share/man/man1/axismask.1")
bash=$usr/share/bash-completion/completions/axismask
commands=$("$usr/bin/axismask" --help | sed -n '/^Subcommands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
[ "$(wc -w <<<"$commands")" -ge 8 ] || fail "the help lists $commands"
complete_words() { bash -c '. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _axismask; echo "${COMPREPLY[*]}"' "$bash" "$@"; }
for command in $commands; do
  grep -qx ".SS $command" <<<"$page" || fail "the man page lacks $command"
  offered=$(complete_words axismask "$command" --)
  for option in $("$usr/bin/axismask" "$command" --help | grep -o '^  \(-h,\)\?--[a-z-]*' | grep -o -- '--[a-z-]*'); do
    [ "$option" = --help ] || grep -q -- "^.BR \"$option\"" <<<"$page" || fail "the man page lacks $command $option"
    [[ " $offered " == *" $option "* ]] || fail "bash completes $command -- to $offered, without $option"
    [ "$option" = --help ] || grep -q -- "'\*$option\[" "$usr/share/zsh/site-functions/_axismask" || fail "zsh lacks $option"
    [ "$option" = --help ] || grep -q -- "from $command' -l ${option#--} " "$usr/share/fish/vendor_completions.d/axismask.fish" ||
      fail "fish lacks $command $option"
  done
done
[ "$(complete_words axismask ex)" = explain ] || fail "bash completes ex to $(complete_words axismask ex)"
[ -z "$(complete_words axismask inspect mod)" ] || fail "bash completes files itself"
echo "the Debian package works in a root of its own"
