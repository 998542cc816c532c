/* The table at the end of a run, and one line of advice chosen from what was measured. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "journal_parts.h"

static const pel__phase *phase(const pel__run_result *r, const char *name) {
  for (int i = 0; i < r->nphases; ++i)
    if (strcmp(r->phases[i].name, name) == 0) return &r->phases[i];
  return NULL;
}

/* Mean share of a phase in the time of the loop, 0..1. */
static double share(const pel__run_result *r, const char *name) {
  const pel__phase *p = phase(r, name);
  return p && r->seconds > 0 ? p->mean / r->seconds : 0;
}

double pel__imbalance(const pel__run_result *r) {
  const pel__phase *p = phase(r, "compute");
  return p && p->mean > 0 ? p->max / p->mean - 1 : 0;
}

/* ---- the table ---- */

static void print_phases(FILE *out, const pel__run_result *r) {
  double named = 0;
  fprintf(out, "%-14s%14s%14s%14s%12s\n", "phase", "min [s]", "mean [s]", "max [s]", "share");
  for (int i = 0; i < r->nphases; ++i) {
    const pel__phase *p = &r->phases[i];
    if (!(p->max > 0)) continue; /* this run has no such phase */
    named += p->mean;
    fprintf(out, "%-14.14s%14.3f%14.3f%14.3f%10.1f %%\n", p->name, p->min, p->mean, p->max,
            100 * p->mean / r->seconds);
  }
  const double other = r->seconds - named;
  if (r->nphases && other > .005 * r->seconds)
    fprintf(out, "%-14s%14s%14.3f%14s%10.1f %%\n", "control", "", other, "",
            100 * other / r->seconds);
  fprintf(out, "%-14s%14s%14.3f%14s%10.1f %%\n", "all", "", r->seconds, "", 100.);
}

static void print_averages(FILE *out, const pel__run_result *r) {
  for (int i = 0; i < r->naverages; ++i) {
    const pel__average *a = &r->averages[i];
    const char *unit = strcmp(a->unit, "1") ? a->unit : "";
    if (i == 0) fprintf(out, "%-28s%14s%14s%10s\n", "average", "", "error", "samples");
    fprintf(out, "%-28s%14.7g", a->name, a->value);
    if (isfinite(a->error))
      fprintf(out, "%14.2g", a->error);
    else
      fprintf(out, "%14s", "?"); /* too few samples */
    fprintf(out, "%10" PRId64 "%s%s\n", a->samples, *unit ? " " : "", unit);
  }
}

static void print_rate(FILE *out, const pel__run_facts *f, const pel__run_result *r) {
  char model[PEL__SHORT], wall[PEL__SHORT];
  pel__model_time(model, r->time - f->start_time, f->time_name);
  pel__human_time(wall, r->seconds);
  fprintf(out, "steps         %" PRId64 " (%s of model time) in %s\n", r->steps_done, model, wall);
  fprintf(out, "rate          %.4g M%s-steps/s",
          1e-6 * (double)r->steps_done * (double)f->cells / r->seconds,
          f->particles ? "atom" : "cell");
  if (f->spherical)
    fprintf(out, ", %.4g simulated years a day", pel__sypd(r->time - f->start_time, r->seconds));
  fprintf(out, "\n");
}

static void print_efficiency(FILE *out, const pel__run_facts *f, const pel__run_result *r) {
  if (f->ranks > 1 && phase(r, "compute"))
    fprintf(out, "imbalance     %.1f %% (slowest rank over the mean, computing)\n",
            100 * pel__imbalance(r));
  if (r->others >= .01)
    fprintf(out, "cores         %.0f %% of their time went to other programs\n", 100 * r->others);
  if (!(r->bytes > 0)) return;
  fprintf(out, "memory        %.3g GB/s", 1e-9 * r->bytes / r->seconds);
  if (r->bandwidth > 0)
    fprintf(out, ", %.0f %% of the %.3g GB/s that a plain copy reaches here",
            100 * r->bytes / r->seconds / r->bandwidth, 1e-9 * r->bandwidth);
  fprintf(out, "\n");
}

/* A sentence under a 14-column label, broken between words at 80 columns. */
static void print_wrapped(FILE *out, const char *label, const char *sentence) {
  const int indent = 14, width = 80;
  int column = fprintf(out, "%-*s", indent, label);
  for (const char *word = sentence; *word;) {
    const int n = (int)strcspn(word, " ");
    if (column > indent && column + n + 1 > width) column = fprintf(out, "\n%*s", indent, "") - 1;
    if (column > indent) column += fprintf(out, " ");
    column += fprintf(out, "%.*s", n, word);
    word += n + (word[n] == ' ');
  }
  fprintf(out, "\n");
}

void pel__report(FILE *out, const pel__run_facts *f, const pel__run_result *r) {
  char advice[400];
  if (!(r->seconds > 0) || r->steps_done <= 0) return;
  fprintf(out, "\n");
  print_phases(out, r);
  print_averages(out, r);
  print_rate(out, f, r);
  print_efficiency(out, f, r);
  pel__advice(advice, sizeof advice, f, r);
  print_wrapped(out, "advice", advice);
}

/* ---- advice ---- */

/* Each returns true if it has something to say.  In the order of the table below, the first that
 * does is the advice: what wastes most comes first. */
typedef bool adviser(char *out, size_t size, const pel__run_facts *f, const pel__run_result *r);

static bool too_short(char *out, size_t size, const pel__run_facts *f, const pel__run_result *r) {
  (void)f;
  if (r->seconds >= 1) return false;
  snprintf(out, size, "none: the run was too short to judge");
  return true;
}

/* Whatever else was measured then is theirs too. */
static bool is_disturbed(char *out, size_t size, const pel__run_facts *f,
                         const pel__run_result *r) {
  (void)f;
  if (r->others < .1) return false;
  snprintf(out, size,
           "other programs took %.0f %% of the cores, so no phase can be judged: wait until the "
           "machine is idle, or leave them a core (fewer ranks or threads)",
           100 * r->others);
  return true;
}

static bool writes_too_much(char *out, size_t size, const pel__run_facts *f,
                            const pel__run_result *r) {
  const double output = share(r, "output"), checkpoint = share(r, "checkpoint"),
               diagnostics = share(r, "diagnostics"),
               most = fmax(output, fmax(checkpoint, diagnostics));
  (void)f;
  if (output + checkpoint + diagnostics < .3) return false;
  if (most == output)
    snprintf(out, size,
             "output takes %.0f %%: raise [output] interval or every, or write fewer "
             "[output] fields",
             100 * output);
  else if (most == checkpoint)
    snprintf(out, size,
             "checkpoints take %.0f %%: write them less often, for example "
             "[checkpoint] wall_interval = 10 min",
             100 * checkpoint);
  else
    snprintf(out, size, "diagnostics take %.0f %%: raise [diagnostics] interval or every%s",
             100 * diagnostics, r->naverages ? ", or those of [analysis]" : "");
  return true;
}

static bool is_uneven(char *out, size_t size, const pel__run_facts *f, const pel__run_result *r) {
  const double imbalance = pel__imbalance(r);
  if (f->ranks < 2 || imbalance * share(r, "compute") < .1) return false;
  if (f->blocks < 4 * (int64_t)f->ranks)
    snprintf(out, size,
             "the slowest rank computes %.0f %% longer than the mean: give each rank "
             "more blocks to even it out, [parallel] blocks = 4",
             100 * imbalance);
  else
    snprintf(out, size,
             "the slowest rank computes %.0f %% longer than the mean: see whether other "
             "programs use its cores",
             100 * imbalance);
  return true;
}

static bool talks_too_much(char *out, size_t size, const pel__run_facts *f,
                           const pel__run_result *r) {
  const double halo = share(r, "halo"), agree = share(r, "agreement");
  const int64_t mine = f->cells / (f->ranks > 0 ? f->ranks : 1);
  const int per_node = f->nodes > 0 ? f->ranks / f->nodes : f->ranks;
  if (f->ranks < 2 || halo + agree < .3) return false;
  int n = snprintf(out, size, "communication takes %.0f %%: ", 100 * (halo + agree));
  if (n < 0 || (size_t)n >= size) return true;
  if (mine < 20000)
    snprintf(out + n, size - (size_t)n,
             "with %" PRId64
             " cells a rank there is little to share; "
             "fewer ranks would do",
             mine);
  else if (per_node > 1)
    snprintf(out + n, size - (size_t)n, "use fewer ranks and more threads, for example -n %d -t %d",
             f->ranks / 2, f->threads * 2);
  else
    snprintf(out + n, size - (size_t)n, "this grid does not need %d nodes", f->nodes);
  return true;
}

static bool is_fast(char *out, size_t size, const pel__run_facts *f, const pel__run_result *r) {
  const pel__phase *p = phase(r, "compute");
  if (!p || !(p->mean > 0) || !(r->bandwidth > 0) || !(r->bytes > 0)) return false;
  const double fraction = r->bytes / p->mean / r->bandwidth;
  if (fraction < .6) return false;
  if (fraction > 1.1)
    snprintf(out, size, "none: the state fits into the caches, this is faster than memory");
  else
    snprintf(out, size,
             "none: computing runs at %.0f %% of the memory bandwidth; only more %s "
             "would be faster",
             100 * fraction,
             f->nodes > 1 ? "nodes"
                          : "memory "
                            "channels or nodes");
  return true;
}

static bool is_small(char *out, size_t size, const pel__run_facts *f, const pel__run_result *r) {
  const int64_t workers = (int64_t)f->ranks * f->threads;
  (void)r;
  if (workers < 2 || f->cells / workers >= 5000) return false;
  snprintf(out, size, "%" PRId64 " %s a core is little work: fewer cores would be about as fast",
           f->cells / workers, f->particles ? "atoms" : "cells");
  return true;
}

static bool could_use_cores(char *out, size_t size, const pel__run_facts *f,
                            const pel__run_result *r) {
  const double compute = share(r, "compute") + share(r, "filter");
  (void)f;
  if (compute < .7) return false;
  snprintf(out, size, "%.0f %% of the time is arithmetic: more cores would make it faster",
           100 * compute);
  return true;
}

void pel__advice(char *out, size_t size, const pel__run_facts *f, const pel__run_result *r) {
  static adviser *const advisers[] = {too_short, is_disturbed,   writes_too_much,
                                      is_uneven, talks_too_much, is_fast,
                                      is_small,  could_use_cores};
  for (int i = 0; i < PEL_N(advisers); ++i)
    if (advisers[i](out, size, f, r)) return;
  snprintf(out, size, "none: no phase stands out");
}
