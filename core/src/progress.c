/* How far a run is: rates, remaining time, and the line that shows them. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "journal_parts.h"

static const double day = 86400, year = 365.25 * 86400;

/* ---- numbers for people ---- */

/* Three digits, without an exponent: 3.25, 32.5, 325. */
static void three_digits(char out[PEL__SHORT], double x, const char *unit) {
  const double a = fabs(x);
  snprintf(out, PEL__SHORT, "%.*f %s", a < 9.995 ? 2 : a < 99.95 ? 1 : 0, x, unit);
}

void pel__iso_time(char out[PEL__SHORT], time_t t) {
  struct tm utc;
  if (!gmtime_r(&t, &utc) || !strftime(out, PEL__SHORT, "%Y-%m-%dT%H:%M:%SZ", &utc))
    snprintf(out, PEL__SHORT, "?");
}

void pel__human_time(char out[PEL__SHORT], double s) {
  static const struct {
    double below, unit; /* [s] */
    const char *name;
  } scale[] = {{1e-12, 1e-15, "fs"}, {1e-9, 1e-12, "ps"},  {1e-6, 1e-9, "ns"},
               {1e-3, 1e-6, "us"},   {1, 1e-3, "ms"},      {120, 1, "s"},
               {7200, 60, "min"},    {2 * day, 3600, "h"}, {1000 * day, day, "d"}};
  const double a = fabs(s);
  if (!isfinite(s) || a == 0 || a < 1e-15 || a >= 1e6 * year) {
    snprintf(out, PEL__SHORT, "%.3g s", s);
    return;
  }
  for (int i = 0; i < PEL_N(scale); ++i)
    if (a < scale[i].below) {
      three_digits(out, s / scale[i].unit, scale[i].name);
      return;
    }
  three_digits(out, s / year, "y");
}

void pel__model_time(char out[PEL__SHORT], double s, const char *unit) {
  if (unit && strcmp(unit, "tau") == 0)
    snprintf(out, PEL__SHORT, "%.4g tau", s);
  else
    pel__human_time(out, s);
}

void pel__human_wait(char out[PEL__SHORT], double s) {
  if (!(s >= 0) || s > 1000 * year) {
    snprintf(out, PEL__SHORT, "?");
    return;
  }
  const long long t = (long long)(s + .5);
  if (t < 60)
    snprintf(out, PEL__SHORT, "%llds", t);
  else if (t < 3600)
    snprintf(out, PEL__SHORT, "%lldm%02llds", t / 60, t % 60);
  else if (t < (long long)day)
    snprintf(out, PEL__SHORT, "%lldh%02lldm", t / 3600, t % 3600 / 60);
  else
    snprintf(out, PEL__SHORT, "%lldd%02lldh", t / (long long)day, t % (long long)day / 3600);
}

void pel__human_count(char out[PEL__SHORT], double x) {
  static const char *const prefix[] = {"", "k", "M", "G", "T", "P"};
  int i = 0;
  for (; fabs(x) >= 999.5 && i + 1 < PEL_N(prefix); ++i) x /= 1000;
  three_digits(out, x, prefix[i]);
}

double pel__sypd(double model_seconds, double wall_seconds) {
  return wall_seconds > 0 ? model_seconds / year / (wall_seconds / day) : 0;
}

/* ---- how far, how fast ---- */

void pel__meter_start(pel__meter *m, const pel__run_facts *f, double now) {
  *m = (pel__meter){.first_step = f->first_step,
                    .last_step = f->last_step,
                    .cells = f->cells,
                    .start_time = f->start_time,
                    .end_time = f->end_time,
                    .spherical = f->spherical,
                    .particles = f->particles,
                    .time_name = f->time_name,
                    .step = f->first_step,
                    .time = f->start_time,
                    .begun = now,
                    .mark = now,
                    .mark_step = f->first_step,
                    .mark_time = f->start_time,
                    .logged = now};
}

/* Rates are means since the beginning; after ten seconds they forget with that time constant, so
 * that the remaining time follows a change of the time step or a slow file system, but does not
 * jump. */
void pel__meter_update(pel__meter *m, int64_t step, double time, double now) {
  const double memory = 10, seconds = now - m->mark;
  m->step = step;
  m->time = time;
  if (seconds < .05 || step == m->mark_step) return;
  const double steps = (double)(step - m->mark_step) / seconds;
  const double model = (time - m->mark_time) / seconds;
  const double w = fmax(1 - exp(-seconds / memory), seconds / (now - m->begun));
  m->steps_per_s += w * (steps - m->steps_per_s);
  m->time_per_s += w * (model - m->time_per_s);
  m->mark = now;
  m->mark_step = step;
  m->mark_time = time;
}

static bool ends_by_step(const pel__meter *m) { return m->last_step > m->first_step; }
static bool ends_by_time(const pel__meter *m) {
  return isfinite(m->end_time) && m->end_time > m->start_time;
}

/* Whichever end comes first counts. */
double pel__meter_fraction(const pel__meter *m) {
  double x = NAN;
  if (ends_by_step(m)) x = (double)m->step / (double)m->last_step;
  if (ends_by_time(m)) x = fmax(x, m->time / m->end_time);
  return isnan(x) ? x : fmin(fmax(x, 0), 1);
}

double pel__meter_eta(const pel__meter *m) {
  double eta = NAN;
  if (ends_by_step(m) && m->steps_per_s > 0)
    eta = (double)(m->last_step - m->step) / m->steps_per_s;
  if (ends_by_time(m) && m->time_per_s > 0)
    eta = fmin(eta, (m->end_time - m->time) / m->time_per_s); /* fmin(NAN, x) is x */
  return isnan(eta) ? eta : fmax(eta, 0);
}

double pel__meter_cells_per_s(const pel__meter *m) { return m->steps_per_s * (double)m->cells; }

/* ---- the line ---- */

enum { PERCENT, STEP, TIME, RATE, SYPD, ETA, NPARTS };

static void parts_of(const pel__meter *m, char part[NPARTS][64]) {
  char number[PEL__SHORT];
  const double fraction = pel__meter_fraction(m), eta = pel__meter_eta(m);
  for (int i = 0; i < NPARTS; ++i) part[i][0] = 0;
  if (!isnan(fraction)) snprintf(part[PERCENT], 64, "%3d %%", (int)(100 * fraction));
  if (m->last_step >= 0)
    snprintf(part[STEP], 64, "step %lld/%lld", (long long)m->step, (long long)m->last_step);
  else
    snprintf(part[STEP], 64, "step %lld", (long long)m->step);
  pel__model_time(part[TIME], m->time, m->time_name);
  if (m->steps_per_s > 0) {
    pel__human_count(number, pel__meter_cells_per_s(m));
    snprintf(part[RATE], 64, "%s%s/s", number, m->particles ? "atom" : "cell");
    if (m->spherical) {
      three_digits(part[SYPD], pel__sypd(m->time_per_s, 1), "SYPD");
    }
  }
  if (!isnan(eta)) {
    pel__human_wait(number, eta);
    snprintf(part[ETA], 64, "ETA %s", number);
  }
}

/* The parts that are kept, two spaces between them; the bar, `bar` wide, after the percentage. */
static void join(char *out, size_t size, char part[NPARTS][64], double fraction, int bar) {
  size_t n = 0;
  out[0] = 0;
  for (int i = 0; i < NPARTS; ++i) {
    if (part[i][0] && n < size)
      n += (size_t)snprintf(out + n, size - n, "%s%s", n ? "  " : "", part[i]);
    if (i != PERCENT || bar < 3 || n + (size_t)bar + 2 >= size) continue;
    const int inside = bar - 2, full = (int)(fraction * inside);
    if (n) out[n++] = ' ';
    out[n++] = '[';
    for (int c = 0; c < inside; ++c) out[n++] = c < full ? '=' : c == full ? '>' : ' ';
    out[n++] = ']';
    out[n] = 0;
  }
}

void pel__meter_line(const pel__meter *m, char *out, size_t size, int width) {
  static const int first_to_go[] = {SYPD, RATE, TIME, ETA, STEP};
  const int narrowest = 12, widest = 32;
  char part[NPARTS][64];
  if (width < 1 || (size_t)width >= size) width = (int)size - 1;
  parts_of(m, part);
  const double fraction = pel__meter_fraction(m);
  join(out, size, part, fraction, 0);
  for (int i = 0; i < PEL_N(first_to_go) && (int)strlen(out) > width; ++i) {
    part[first_to_go[i]][0] = 0;
    join(out, size, part, fraction, 0);
  }
  const int room = (width - (int)strlen(out) - 1) / 4 * 4; /* not to jump with each new digit */
  if (!isnan(fraction) && room >= narrowest)
    join(out, size, part, fraction, room < widest ? room : widest);
  if ((int)strlen(out) > width) out[width] = 0;
}

void pel__meter_log_line(const pel__meter *m, char *out, size_t size) {
  char part[NPARTS][64];
  parts_of(m, part);
  join(out, size, part, 0, 0);
}

/* The largest of 1, 2, 5, 10, 20, 30 ... 90 that x has reached; 0: none. */
static int milestone(double x) {
  const int p = (int)(100 * x);
  return p >= 100 ? 90 : p >= 10 ? p / 10 * 10 : p >= 5 ? 5 : p >= 2 ? 2 : p >= 1 ? 1 : 0;
}

bool pel__meter_log_due(pel__meter *m, double now) {
  const double fraction = pel__meter_fraction(m);
  const int percent = isnan(fraction) ? 0 : milestone(fraction);
  const double waited = now - m->logged;
  /* Short runs pass many milestones a second; one line a second is enough. */
  if (waited < 1 || (percent <= m->logged_percent && waited < 60)) return false;
  m->logged = now;
  if (percent > m->logged_percent) m->logged_percent = percent;
  return true;
}
