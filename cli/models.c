/* pelsim models: what can be run. */
#include "command.h"

int cli_models(const cli_arguments *a) { return pel_print_models(stdout, cli_host(), a->json); }
