/* pelsim status: how a run is, from what its directory tells. */
#include "command.h"

int cli_status(const cli_arguments *a) {
  char why[5200];
  if (!a->resumable) return pel_status(stdout, a->operand[0], a->json);
  const int code = pel_resumable(a->operand[0], why, sizeof why);
  if (code == PEL_IO) return cli_complain(code, "%s", why);
  printf("%s\n", why);
  return code;
}
