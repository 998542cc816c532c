#include "pelsim/error.h"

#include <stdarg.h>
#include <stdio.h>

int pel_error_set(pel_error *e, int code, const char *fmt, ...) {
  if (e->code != PEL_OK) return code;
  e->code = code;
  va_list args;
  va_start(args, fmt);
  vsnprintf(e->text, sizeof e->text, fmt, args);
  va_end(args);
  return code;
}
