/* pelsim init: a configuration to start from. */
#include "command.h"

int cli_init(const cli_arguments *a) {
  return pel_print_template(stdout, cli_host(), a->operand[0]);
}
