#include "whereabouts.h"

#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "pelsim/embed.h"
#include "pelsim/sink.h"

/* A process has one of each, however many simulations it makes one after the other.  Only the main
 * thread writes; a signal may be handled by any. */
static atomic_int now_rank, now_phase = PEL__T_START;
static atomic_llong now_step, done;

static const struct {
  const char *name, *where; /* in tables; as one says it of a rank */
} phases[] = {
    [PEL__T_COMPUTE] = {"compute", "computing"},
    [PEL__T_HALO] = {"halo", "exchanging halos"},
    [PEL__T_LISTS] = {"lists", "building lists"},
    [PEL__T_FILTER] = {"filter", "filtering"},
    [PEL__T_BALANCE] = {"balance", "moving blocks"},
    [PEL__T_MEASURE] = {"diagnostics", "diagnostics"},
    [PEL__T_OUTPUT] = {"output", "output (disk)"},
    [PEL__T_CHECKPOINT] = {"checkpoint", "checkpoint (disk)"},
    [PEL__T_AGREE] = {"agreement", "waiting for the others"},
    [PEL__T_START] = {"start", "starting (disk)"},
    [PEL__T_END] = {"end", "ending (disk)"},
};

const char *pel__phase_name(pel__phase_id phase) { return phases[phase].name; }

static void count(void) {
  atomic_store_explicit(&done, atomic_load_explicit(&done, memory_order_relaxed) + 1,
                        memory_order_relaxed);
}

void pel__now_rank(int rank) { atomic_store(&now_rank, rank); }

void pel__now_step(int64_t step) {
  atomic_store_explicit(&now_step, step, memory_order_relaxed);
  count();
}

pel__phase_id pel__now_in(pel__phase_id phase) {
  const int before = atomic_load_explicit(&now_phase, memory_order_relaxed);
  atomic_store_explicit(&now_phase, (int)phase, memory_order_relaxed);
  count();
  return (pel__phase_id)before;
}

void pel_alive(void) { count(); }

/* ---- a line without stdio, which a signal handler may not use ---- */

static char *text(char *to, const char *from) {
  const size_t n = strlen(from);
  memcpy(to, from, n);
  return to + n;
}

static char *number(char *to, long long x) {
  char digits[24];
  int n = 0;
  do digits[n++] = (char)('0' + x % 10);
  while (x /= 10);
  while (n > 0) *to++ = digits[--n];
  return to;
}

void pel_tell_whereabouts(int fd) {
  char line[160], *p = line;
  p = number(text(p, PEL_WHEREABOUTS), atomic_load(&now_rank));
  p = number(text(p, ": step "), atomic_load(&now_step));
  p = text(text(p, ", "), phases[atomic_load(&now_phase)].where);
  p = text(number(text(p, ", "), atomic_load(&done)), " pieces of work done\n");
  const ssize_t n = write(fd, line, (size_t)(p - line));
  (void)n; /* nothing to be done about it here */
}
