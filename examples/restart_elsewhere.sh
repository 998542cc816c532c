#!/usr/bin/env bash
# Interrupts a run on 2 ranks, resumes it on 3, and compares with a run that nobody disturbed.
#
#   examples/restart_elsewhere.sh [PELSIM]      PELSIM: the command; default ./pelsim
#
# Takes some seconds; works in a temporary directory and removes it.
set -euo pipefail
pelsim=$(realpath "${1:-./pelsim}")
work=$(mktemp -d) run=
trap 'kill "$run" 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"

cat >wave.ini <<'INI'
[run]
model = shallow_water
[grid]
nlon = 96
nlat = 48
[time]
steps = 1000000000
[shallow_water]
initial = williamson6
INI

fingerprint() { sed -n 's/^fingerprint: //p'; }
step() { sed -n 's/.*"step": *\([0-9]*\),.*/\1/p' parts/heartbeat.json 2>/dev/null || true; }

echo "interrupted on 2 ranks:"
"$pelsim" run wave.ini --dir parts -n 2 -t 1 >log 2>&1 &
run=$!
for _ in $(seq 600); do # until it is on its way
  at=$(step)
  [ "${at:-0}" -eq 0 ] || break
  sleep 0.1
done
kill -INT $run 2>/dev/null || true
code=0
wait $run || code=$?
if [ $code -ne 75 ]; then
  cat log >&2
  echo "exit code $code, want 75 (stopped with a checkpoint)" >&2
  exit 1
fi
at=$(basename parts/checkpoints/step_*.h5 .h5)
at=$((10#${at#step_}))
end=$((at + 500))
echo "  at step $at"

echo "resumed on 3 ranks, to step $end:"
three=$("$pelsim" run wave.ini -s time.steps=$end --dir parts --resume -n 3 -t 1 | fingerprint)
echo "  $three"
"$pelsim" verify parts/checkpoints/*.h5

echo "undisturbed on 1 rank, to step $end:"
one=$("$pelsim" run wave.ini -s time.steps=$end --dir whole -n 1 -t 1 | fingerprint)
echo "  $one"

if [ -z "$one" ] || [ "$one" != "$three" ]; then
  echo "the fingerprints differ: got $three, want $one" >&2
  exit 1
fi
cmp whole/diagnostics.csv parts/diagnostics.csv
echo "the same bits: state and every row of diagnostics.csv"
