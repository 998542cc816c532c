/* pelsim status: how a run is, from what its directory tells. */
#include "command.h"

int cli_status(const cli_arguments *a) {
  char why[5200];
  if (!a->resumable) return pel_status(stdout, a->operand[0], a->json);
  const bool yes = pel_resumable(a->operand[0], why, sizeof why);
  printf("%s\n", why);
  return yes ? PEL_OK : PEL_DIFFERS;
}
