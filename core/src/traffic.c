#include "plan.h"

static bool touches(const pel_sim *s, const pel__op *op, const pel__var *v, bool write) {
  (void)s;
  for (int i = 0; i < op->nstages; ++i) {
    const pel_stage *st = op->stage[i];
    for (int a = 0; write && a < st->nwrites; ++a)
      if (st->writes[a] == v->offset) return true;
    for (int a = 0; !write && a < st->nreads; ++a)
      if (st->reads[a].field == v->offset) return true;
  }
  return false;
}

/* Arrays of 8 bytes a cell moved by one operation on tiles that are clear (or not) of filters. */
static double arrays_of(const pel_sim *s, const pel__op *op, const pel__substage *sub, bool clear) {
  const bool advances = op->end == PEL__ADVANCE && !(op->deferred && !clear);
  double n = 0;
  for (const pel__var *v = s->vars; v < s->vars + s->nvars; ++v) {
    const bool scratch = !v->stored || (v->rate && op->end == PEL__ADVANCE && clear);
    const bool reads = touches(s, op, v, false);
    if (!scratch) n += reads + touches(s, op, v, true);
    if (!advances || !sub) continue;
    if (v->rate) n += !op->nstages; /* a deferred advance reads the rates */
    if (v->rate || !v->field->rate) continue;
    n += 1 + !(reads && sub->in == 0); /* the result; y0, unless the chain read it already */
    for (int j = 1; j < PEL__SLOTS; ++j) n += sub->a[j] != 0 && !(reads && j == sub->in);
  }
  return n;
}

static double bytes_of(const pel_sim *s, const pel__op *op, const pel__substage *sub) {
  double bytes = 0;
  for (const pel__box *x = op->box; x < op->box + op->nboxes; ++x) {
    double cells = 1;
    for (int a = 0; a < 3; ++a) cells *= x->hi[a] - x->lo[a];
    bytes += cells * arrays_of(s, op, sub, x->clear) * sizeof(double);
  }
  return bytes;
}

double pel__program_bytes(const pel_sim *s) {
  if (s->dynamics) return 0; /* particles wait for arithmetic, not for memory */
  double bytes = 0;
  const int n = s->scheme ? s->scheme->nsub : 1;
  for (int i = 0; i < n; ++i)
    for (const pel__op *op = s->program->op; op < s->program->op + s->program->nops; ++op)
      if (!op->spectral) bytes += bytes_of(s, op, s->scheme ? &s->scheme->sub[i] : NULL);
  MPI_Allreduce(MPI_IN_PLACE, &bytes, 1, MPI_DOUBLE, MPI_SUM, s->comm);
  return bytes;
}
