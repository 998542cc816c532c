/* Tools that look at files: what they say goes to stdout, or to stderr if they fail. */
#include <stdlib.h>
#include "command.h"

int cli_tool(const cli_arguments *a, cli_look *look, int files) {
  int worst = PEL_OK;
  for (int i = 0; i < files; ++i) {
    char *text = NULL;
    size_t length = 0;
    FILE *f = open_memstream(&text, &length);
    if (!f) return cli_complain(PEL_INTERNAL, "out of memory");
    const int code = look(f, a, a->operand[i]);
    fclose(f);
    fwrite(text, 1, length, code == PEL_OK || code == PEL_DIFFERS ? stdout : stderr);
    free(text);
    if (code > worst) worst = code;
  }
  return worst;
}
