/* A sweep: the product of the values of some keys. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "submit.h"

/* "section.key=v1,v2": how many values; 0: it is none. */
static int count_values(const char *sweep) {
  const char *is = strchr(sweep, '='), *dot = strchr(sweep, '.');
  if (!is || !dot || dot > is || dot == sweep || dot + 1 == is) return 0;
  int n = 1;
  for (const char *p = is + 1; *p; ++p) {
    if (*p == ',' && (p[-1] == '=' || p[-1] == ',' || !p[1])) return 0; /* one is empty */
    n += *p == ',';
  }
  return is[1] ? n : 0;
}

static char *value(const char *sweep, int which) {
  const int key = (int)(strchr(sweep, '=') + 1 - sweep);
  const char *p = sweep + key;
  char *text;
  for (; which; --which) p = strchr(p, ',') + 1;
  return asprintf(&text, "%.*s%.*s", key, sweep, (int)strcspn(p, ","), p) < 0 ? NULL : text;
}

/* A word for the file system; its number makes it unlike the others. */
static void name_member(cli_member *m, int number, int nkeys) {
  snprintf(m->name, sizeof m->name, "%03d", number);
  for (int k = 0; k < nkeys; ++k) {
    const size_t n = strlen(m->name);
    snprintf(m->name + n, sizeof m->name - n, "_%s", m->set[k]);
  }
  for (char *p = m->name; *p; ++p)
    if (!isalnum((unsigned char)*p) && !strchr("._+=-", *p)) *p = '_';
}

/* Length of "section.key=". */
static size_t key_length(const char *sweep) { return strcspn(sweep, "=") + 1; }

/* What would make members that differ in name only; NULL: nothing. */
static const char *repetition(const cli_list *sweep, int k) {
  const char *word = sweep->word[k], *p = word + key_length(word);
  for (int i = 0; i < k; ++i)
    if (!strncmp(sweep->word[i], word, key_length(word))) return "the key is given twice";
  for (const char *a = p; *a; a += strcspn(a, ","), a += *a == ',') {
    const size_t n = strcspn(a, ",");
    for (const char *b = p; b < a; b += strcspn(b, ",") + 1)
      if (strcspn(b, ",") == n && !strncmp(a, b, n)) return "a value is given twice";
  }
  return strncmp(word, "output.dir=", 11) ? NULL : "each member has a directory of its own anyway";
}

static int check(const cli_list *sweep, int *members) {
  *members = 1;
  if (sweep->n > CLI_MEMBER_KEYS)
    return cli_complain(PEL_USAGE,
                        "submit: --sweep is given %d times; at most %d keys are possible", sweep->n,
                        CLI_MEMBER_KEYS);
  for (int i = 0; i < sweep->n; ++i) {
    const int n = count_values(sweep->word[i]);
    if (!n)
      return cli_complain(
          PEL_USAGE,
          "submit: --sweep is '%s', but must be SECTION.KEY=V1,V2,... without empty "
          "values",
          sweep->word[i]);
    const char *again = repetition(sweep, i);
    if (again) return cli_complain(PEL_USAGE, "submit: --sweep %s: %s", sweep->word[i], again);
    if (n > CLI_MEMBERS / *members)
      return cli_complain(PEL_USAGE,
                          "submit: the sweep has more than %d members; divide it into several",
                          CLI_MEMBERS);
    *members *= n;
  }
  return PEL_OK;
}

int cli_sweep_make(cli_job *j) {
  const cli_list *sweep = &j->a->sweep;
  if (check(sweep, &j->nmembers)) return PEL_USAGE;
  j->sweep = sweep->n > 0;
  j->member = pel_calloc((size_t)j->nmembers, sizeof *j->member);
  for (int i = 0; i < j->nmembers; ++i) {
    cli_member *m = &j->member[i];
    int rest = i;
    for (int k = sweep->n - 1; k >= 0; --k) { /* the last key changes fastest */
      const int n = count_values(sweep->word[k]);
      m->set[k] = value(sweep->word[k], rest % n);
      if (!m->set[k]) return cli_complain(PEL_INTERNAL, "out of memory");
      rest /= n;
    }
    name_member(m, i, sweep->n);
  }
  return PEL_OK;
}
