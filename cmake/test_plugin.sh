#!/bin/sh
# Tests of a plug-in, called by pelsim_test_plugin:
#   test_plugin.sh layouts PELSIM CONFIG PLUGIN DIR
#     the same bits on ranks, threads and blocks
#   test_plugin.sh restart PELSIM CONFIG PLUGIN DIR
#     and after a stop and a restart on another layout
#   test_plugin.sh order PELSIM CONFIG PLUGIN DIR ERROR ORDER
#     the error falls with the cell size as it must; ERROR: a column of diagnostics.csv; the grid has
#     the keys nx, ny, nz
set -eu
kind=$1 pelsim=$2 config=$3 plugin=$4 dir=$5

rm -rf "$dir"
mkdir -p "$dir"

fail() {
  echo "$*" >&2
  exit 1
}

# run NAME OPTION...: runs into $dir/NAME and leaves the fingerprint in $fingerprint.
run() {
  name=$1
  shift
  "$pelsim" run "$config" --dir "$dir/$name" --progress=never -s "run.plugin=$plugin" "$@" \
    >"$dir/$name.log" 2>&1 || { code=$?; cat "$dir/$name.log" >&2; fail "run '$name' ($*): got exit code $code, want 0"; }
  fingerprint=$(sed -n 's/^fingerprint: //p' "$dir/$name.log")
  [ -n "$fingerprint" ] || { cat "$dir/$name.log" >&2; fail "run '$name' printed no fingerprint"; }
}

# same NAME: the last fingerprint must be that of the reference.
same() {
  [ "$fingerprint" = "$reference" ] || fail "$1: got fingerprint $fingerprint, want $reference"
  echo "$1: $fingerprint"
}

layouts() {
  run reference -n 1 -t 1
  reference=$fingerprint
  run threads -t 3 -s parallel.blocks=4 && same "3 threads, 4 blocks"
  run ranks -n 2 -t 1 && same "2 ranks"
  run both -n 3 -t 2 -s parallel.blocks=2 && same "3 ranks x 2 threads, 2 blocks a rank"
}

restart() {
  run reference -n 1 -t 1
  reference=$fingerprint
  run stopped -n 2 -t 1 --steps 3
  [ "$fingerprint" != "$reference" ] || fail "the run has too few steps to be interrupted after 3"
  run stopped -n 1 -t 2 --resume && same "stopped after 3 steps on 2 ranks, resumed on 1"
}

# cells AXIS: the value of [grid] AXIS in the configuration, or 1.
cells() {
  awk -v key="$1" -F '[ \t]*=[ \t]*' '
    /^\[/ { section = $0 }
    section ~ /^\[grid\]/ && $1 == key { n = $2 + 0 }
    END { print (n > 0 ? n : 1) }' "$config"
}

# error_of NAME: the last value in the column $error of the diagnostics.
error_of() {
  awk -F, -v column="$error" '
    /^#/ { next }
    !at { for (i = 1; i <= NF; ++i) if ($i == column) at = i
          if (!at) { print "no column " column > "/dev/stderr"; exit 1 }
          next }
    { value = $at }
    END { print value }' "$dir/$1/diagnostics.csv"
}

order() {
  error=$1 want=$2
  coarse="" fine=""
  for axis in nx ny nz; do
    n=$(cells $axis)
    [ "$n" -gt 1 ] || continue
    coarse="$coarse -s grid.$axis=$((n / 2))"
    fine="$fine -s grid.$axis=$n"
  done
  # shellcheck disable=SC2086
  run coarse $coarse -s diagnostics.every=1
  # shellcheck disable=SC2086
  run fine $fine -s diagnostics.every=1
  awk -v coarse="$(error_of coarse)" -v fine="$(error_of fine)" -v want="$want" 'BEGIN {
    got = log(coarse / fine) / log(2)
    printf "errors %g and %g: got order %.3f, want %g +- 0.2\n", coarse, fine, got, want
    exit !(got > want - 0.2 && got < want + 0.2) }'
}

shift 5
$kind "$@"
