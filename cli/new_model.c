/* pelsim new-model: a plug-in that builds, runs and passes its tests, to be changed into yours. */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "command.h"
#include "template.h" /* cli_template: the files of cli/template, embedded by CMake */

/* A model gives its name to a section of the configuration, a library, a target of CMake and,
 * sooner or later, to something in C.  Whose words it must not be: */
static const struct {
  const char *owner, *words; /* each between blanks */
} taken[] = {
    {"a section of every configuration", " run grid time parallel output checkpoint diagnostics "},
    {"a word of C",
     " alignas alignof asm auto bool break case char const constexpr continue default do double "
     "else enum extern false float for goto if inline int long main nullptr register restrict "
     "return short signed sizeof static static_assert struct switch thread_local true typedef "
     "typeof typeof_unqual union unsigned void volatile while "},
    {"a target of CMake",
     " all clean default_target depend edit_cache help install list_install_components package "
     "package_source preinstall rebuild_cache test "},
    {"a library that every model needs", " c m pelsim "},
};

static int check_taken(const char *name) {
  char word[50];
  snprintf(word, sizeof word, " %s ", name);
  for (int i = 0; i < PEL_N(taken); ++i)
    if (strstr(taken[i].words, word))
      return cli_complain(PEL_USAGE, "new-model: '%s' is %s; choose another name", name,
                          taken[i].owner);
  if (!strncmp(name, "pel_", 4))
    return cli_complain(PEL_USAGE,
                        "new-model: '%s': names that begin with pel_ belong to pelsim; choose "
                        "another name",
                        name);
  return PEL_OK;
}

static int check_name(const char *name) {
  const size_t length = strlen(name);
  bool good = islower((unsigned char)name[0]) && length <= 40;
  for (const char *p = name; *p; ++p)
    good = good && (islower((unsigned char)*p) || isdigit((unsigned char)*p) || *p == '_');
  if (!good)
    return cli_complain(PEL_USAGE,
                        "new-model: '%s' cannot be the name of a model; it must be at most 40 "
                        "lower-case letters, digits and underscores, a letter first",
                        name);
  if (check_taken(name)) return PEL_USAGE;
  const pel_host *host = cli_host();
  for (int i = 0; i < host->nmodels; ++i)
    if (!strcmp(name, host->models[i]->name))
      return cli_complain(PEL_USAGE, "new-model: there is a built-in model '%s'; choose another",
                          name);
  return PEL_OK;
}

/* Writes text with every @NAME@ replaced. */
static void expand(FILE *out, const char *text, const char *name) {
  static const char mark[] = "@NAME@";
  for (const char *p; (p = strstr(text, mark)); text = p + sizeof mark - 1) {
    fwrite(text, 1, (size_t)(p - text), out);
    fputs(name, out);
  }
  fputs(text, out);
}

static int write_file(const cli_template_file *t, const char *name) {
  char path[300];
  const char *ending = strncmp(t->name, "skeleton.", 9) ? NULL : t->name + 8;
  snprintf(path, sizeof path, "%s/%s%s", name, ending ? name : t->name, ending ? ending : "");
  FILE *f = fopen(path, "wx");
  if (f) expand(f, (const char *)t->text, name);
  const bool bad = !f || ferror(f);
  if (bad || fclose(f))
    return cli_complain(PEL_IO, "new-model: cannot write '%s': %s", path, strerror(errno));
  printf("  %s\n", path);
  return PEL_OK;
}

int cli_new_model(const cli_arguments *a) {
  const char *name = a->operand[0];
  int code = check_name(name);
  if (code) return code;
  if (mkdir(name, 0777)) {
    const int why = errno;
    return why == EEXIST
               ? cli_complain(PEL_USAGE,
                              "new-model: '%s' exists already and is left as it is; choose another "
                              "name or folder",
                              name)
               : cli_complain(PEL_IO, "new-model: cannot make the folder '%s': %s", name,
                              strerror(why));
  }
  printf("written:\n");
  for (int i = 0; i < cli_template_count && !code; ++i) code = write_file(&cli_template[i], name);
  if (!code)
    printf(
        "next:\n  cd %s\n  cmake -B build && cmake --build build\n  ctest --test-dir build\n"
        "  pelsim run %s.ini\n",
        name, name);
  return code;
}
