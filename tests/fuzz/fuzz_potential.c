/* Fuzzes the readers of potential files: any bytes are either refused with one sentence or give
 * tables that can be built and looked up within their bounds.  The first byte chooses the format.
 *
 * Seeds: tests/fuzz/corpus/potential. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "md/eam.h"
#include "md/table.h"

static void require(bool right) {
  if (!right) abort();
}

static void *keep[8];
static int kept;

static void *allocate(void *ctx, size_t bytes) {
  (void)ctx;
  return keep[kept++] = calloc(1, bytes);
}

/* "FUZZ:LINE: sentence" */
static void check_sentence(const char *error) {
  require(strncmp(error, "FUZZ:", 5) == 0 && atoi(error + 5) > 0);
  require(!strchr(error, '\n') && strlen(error) > 12);
}

static void eam(pel__eam_format format, const char *text, size_t size) {
  pel__eam_file f;
  pel__eam e;
  char error[700] = "";
  int which[PEL__EAM_ELEMENTS] = {0};
  if (!pel__eam_file_parse(&f, format, "FUZZ", text, size, error, sizeof error)) {
    check_sentence(error);
    return;
  }
  require(f.n >= 1 && f.nr >= 5 && f.nrho >= 5 && f.dr > 0 && f.drho > 0 && f.cutoff > 0);
  const int ntypes = f.format == PEL__EAM_FUNCFL || f.n > 3 ? 1 : f.n;
  for (int t = 0; t < ntypes; ++t) which[t] = t;
  kept = 0;
  if (pel__eam_create(&e, &f, ntypes, which, allocate, NULL, error, sizeof error)) {
    double slope;
    for (int t = 0; t < ntypes; ++t)
      for (double rho = -1; rho < 1e300; rho = rho < 1 ? rho + 0.3 : rho * 1e9)
        pel__eam_embed(&e, t, rho, &slope);
  }
  for (int i = 0; i < kept; ++i) free(keep[i]);
  pel__eam_file_free(&f);
}

static void table(const char *keyword, const char *text, size_t size) {
  pel__table t;
  char error[700] = "";
  double c[PEL__TABLE_COEFFICIENTS];
  if (!pel__table_parse(&t, keyword, "lj", "FUZZ", text, size, error, sizeof error)) {
    check_sentence(error);
    return;
  }
  require(t.n >= 4 && t.low > 0 && t.high > t.low);
  double *data = calloc(pel__table_size(&t), sizeof *data);
  pel__table_records(&t, data, 0);
  pel__table_coefficients(PEL__LJ_FORCE_SHIFTED, &t, data, 0, t.high, c);
  free(data);
  pel__table_free(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  if (!size) return 0;
  char *text = malloc(size);
  memcpy(text, bytes + 1, size - 1);
  text[size - 1] = 0;
  const int kind = *bytes % 6;
  if (kind < 4)
    eam((pel__eam_format)kind, text, size - 1);
  else
    table(kind == 4 ? "" : "B", text, size - 1);
  free(text);
  return 0;
}
