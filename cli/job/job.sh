
# ---- the run ----
link=${PELSIM_LINK:-1} # of the chain
most_fruitless=3       # jobs in a row that left no newer checkpoint: it would go on like that
most_restarts=1000

say() { printf '%s job %s: %s\n' "$(date '+%F %T')" "$id" "$*"; }

finish() { # finish CODE SENTENCE
  say "ends: $2"
  exit "$1"
}

# Whether to resume the run is worthwhile; why says why (not).  Ranks of a job that died may still be
# ending, on other hosts too.
may_go_on() {
  local i
  for ((i = 0; i < 24; ++i)); do
    why=$("$pelsim" status "$dir" --resumable 2>&1) && return
    case $why in *'it is running') sleep 5 ;; *) return 1 ;; esac
  done
  return 1
}

# The newest checkpoint, and when it was written.
newest() {
  local files=("$dir"/checkpoints/step_*.h5)
  [ ${#files[@]} -gt 0 ] && stat -c '%n %Y' -- "${files[-1]}" 2>/dev/null || echo none
}

# Notes that a job has ended before its time and whether the run got on; returns how often in a row it
# did not.  This also ends a run that never gets as far as to tell of itself.
count_fruitless() {
  local then='' n=0 now
  now=$(newest)
  { read -r n && read -r then; } 2>/dev/null <"$dir/job.attempts"
  [ "$then" = "$now" ] && n=$((n + 1)) || n=1
  printf '%s\n' "$n" "$now" >"$dir/job.attempts"
  return "$n"
}

signalled='' ended='' child=''
pass_on() { # SIGUSR1: the limit is near; SIGTERM: the job is to end
  signalled=1
  [ -z "$child" ] || kill -s "$1" "$child" 2>/dev/null
}
trap 'pass_on USR1' USR1
trap 'ended=1; pass_on TERM' TERM

cd -- "$here" && mkdir -p -- "$dir" || exit 4
if [ "$link" -gt 1 ] || [ "$restarts" -gt 0 ]; then
  may_go_on || case $why in
    *'it is complete') finish 0 "$why" ;;
    *) finish 1 "$why" ;;
  esac
else
  rm -f -- "$dir/job.attempts"
fi
say "begins on $(uname -n)$([ "$restarts" -eq 0 ] || echo ", restart $restarts")$(
  [ "$links" -eq 1 ] || echo ", $link of $links")"

"$pelsim" run --auto-resume --retries="$retries" -n "$ranks" -t "$threads" --dir="$dir" \
  "${set[@]}" -- "$config" &
child=$!
[ -z "$signalled" ] || pass_on USR1 # it came before there was a child
while # a signal ends `wait` before the child has ended
  signalled=''
  wait "$child"
  code=$?
  [ -n "$signalled" ]
do :; done
child=''

[ "$code" -ne 0 ] || finish 0 'the run is complete'
say "pelsim ended with exit code $code"
# Exit code 2 after a restart: the hosts that were there have gone.
case $code-$restarts in 2-0 | 3-* | 4-*) finish "$code" 'another attempt would end the same way' ;; esac
may_go_on || finish "$code" "$why"
count_fruitless
fruitless=$?
[ -z "$ended" ] || ended_by_limit ||
  finish "$code" "it was ended from outside; to go on: $(printf '%q ' "${resubmit[@]}")"
[ "$fruitless" -lt "$most_fruitless" ] ||
  finish "$code" "gives up: $fruitless jobs in a row left no newer checkpoint ($(newest)); see 'pelsim status' and the files job-*.out"
[ "$restarts" -lt "$most_restarts" ] || finish "$code" "gives up after restart $restarts"
[ "$link" -ge "$links" ] || finish "$code" "the next job of the chain goes on ($why)"
[ "$links" -eq 1 ] ||
  finish "$code" "the chain is over; to go on: $(printf '%q ' "${resubmit[@]}") ($why)"
again
finish "$code" "it could not be queued again (${error}); to go on: $(printf '%q ' "${resubmit[@]}")"
