/* pelsim params: every parameter, from the models' own tables. */
#include "command.h"

int cli_params(const cli_arguments *a) {
  const pel_format f = a->json ? PEL_AS_JSON : a->markdown ? PEL_AS_MARKDOWN : PEL_AS_TEXT;
  return pel_print_params(stdout, cli_host(), a->noperands ? a->operand[0] : NULL, f);
}
