/* The pelsim command: a table of subcommands, help, and the way out. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "command.h"
#include "pelsim_io.h"
#include "version.h"

extern const pel_model *const pel_models[];
extern const int pel_nmodels;

const pel_host *cli_host(void) {
  static pel_host host;
  host = (pel_host){pel_models, pel_nmodels, &pel_io_hdf5, PELSIM_VERSION};
  return &host;
}

/* clang-format off */
static const cli_command commands[] = {
    {CLI_RUN, "run", "CONFIG", 1, 1, "run a simulation",
     "Runs the simulation that the INI file CONFIG describes.  All results go to the run\n"
     "directory.  Ctrl-C, SIGTERM and SIGUSR1 end the run after the current step with a good\n"
     "checkpoint and exit code 75; --resume continues it, on any number of ranks and threads.\n"
     "With -n, mpirun is started for you; under mpirun or srun the command is one of the ranks.\n",
     cli_run},
    {CLI_CHECK, "check", "CONFIG", 1, 1, "validate a configuration without running it",
     "Reports every error in CONFIG; if there is none, prints the grid, the layout, the memory,\n"
     "the volume of the output and the limits of the time step.\n",
     cli_check},
    {CLI_MODELS, "models", "", 0, 0, "list the models", "Lists the built-in models.\n", cli_models},
    {CLI_PARAMS, "params", "[MODEL]", 0, 1, "describe the parameters",
     "Describes every parameter of MODEL, or of all models and of the layer: type, default,\n"
     "range, unit and meaning.  MODEL may be the file of a plug-in: build/libripple.so.\n",
     cli_params},
    {CLI_INIT, "init", "MODEL", 1, 1, "print a commented configuration",
     "Prints a configuration for MODEL with every parameter, its default and its meaning:\n"
     "    pelsim init heat > heat.ini\n"
     "MODEL may be the file of a plug-in: build/libripple.so.\n",
     cli_init},
    {CLI_INFO, "info", "FILE...", 1, -1, "what a checkpoint or output file contains",
     "Prints what is in each FILE: model, step, time, variables, configuration, provenance.\n",
     cli_info},
    {CLI_VERIFY, "verify", "FILE...", 1, -1, "check every checksum of files",
     "Reads every byte of each FILE and compares all checksums and fingerprints; exit code 4 if\n"
     "any file is damaged.  A run directory stands for all its checkpoints and its output.\n",
     cli_verify},
    {CLI_DIFF, "diff", "A B", 2, 2, "compare two files",
     "Compares the variables of two files and names the first that differs and where; exit code\n"
     "0: same, 1: different.\n",
     cli_diff},
    {CLI_EXPORT, "export", "FILE", 1, 1, "particles as extended XYZ or LAMMPS data",
     "Writes the particles of a checkpoint, of a frame of a trajectory or of any file that a run\n"
     "can start from as text.  Every number reads back to the same bits.\n",
     cli_export},
    {CLI_FINGERPRINT, "fingerprint", "FILE", 1, 1, "the 64-bit fingerprint of a checkpoint",
     "Prints the fingerprint of the state in a checkpoint: equal states have equal fingerprints,\n"
     "however they were computed and stored.\n",
     cli_fingerprint},
    {CLI_STATUS_OF, "status", "DIR", 1, 1, "how a run is: alive, how far, what went wrong",
     "Tells from the run directory DIR whether somebody works on the run, how far it is, when it\n"
     "will end, its newest checkpoint, what went wrong, and how often it was restarted.\n",
     cli_status},
    {CLI_SUBMIT, "submit", "CONFIG", 1, 1, "hand a run to Slurm or PBS",
     "Checks CONFIG, writes job.sh into the run directory and submits it: a job that stops in time\n"
     "with a checkpoint, queues again until the run is complete, and gives up when it does not get\n"
     "on.  Needs --nodes and --time.\n",
     cli_submit},
    {CLI_NEW_MODEL, "new-model", "NAME", 1, 1, "write the skeleton of a model plug-in",
     "Writes the folder NAME with a model that builds, runs and passes its tests: change it into\n"
     "yours.\n",
     cli_new_model},
};
/* clang-format on */

static void print_usage(const cli_command *c, FILE *out) {
  fprintf(out, "usage: pelsim %s%s%s [options]\n", c->name, *c->operands ? " " : "", c->operands);
}

static void print_help(FILE *out) {
  fprintf(out,
          "pelsim %s: simulations on any number of ranks and threads, with the same bits\n\n"
          "usage: pelsim COMMAND ...\n\n",
          PELSIM_VERSION);
  for (int i = 0; i < PEL_N(commands); ++i)
    fprintf(out, "  %-12s %s\n", commands[i].name, commands[i].summary);
  fprintf(
      out,
      "\n'pelsim help COMMAND' describes a command and its options.\n\n"
      "Exit codes: 0 done, 1 files differ, 2 wrong command line or configuration, 3 the\n"
      "simulation became invalid, 4 a file could not be read, written or verified, 70 internal\n"
      "fault, 75 stopped early with a good checkpoint (resume with --resume).\n");
}

static void print_command_help(const cli_command *c) {
  print_usage(c, stdout);
  printf("\n%s\n", c->text);
  cli_options_print(c, stdout);
}

/* The command of that name, or NULL after a sentence. */
static const cli_command *find_command(const char *name) {
  static const char *const switches[] = {"help", "version"};
  const bool dash = name[0] == '-';
  const char *names[PEL_N(commands)];
  for (int i = 0; i < PEL_N(commands); ++i) {
    if (!strcmp(commands[i].name, name)) return &commands[i];
    names[i] = commands[i].name;
  }
  const char *near = dash ? pel_suggest(name + strspn(name, "-"), switches, PEL_N(switches))
                          : pel_suggest(name, names, PEL_N(commands));
  const char *kind = dash ? "option" : "command";
  if (near)
    cli_complain(PEL_USAGE, "unknown %s '%s'; did you mean 'pelsim %s%s'?", kind, name,
                 dash ? "--" : "", near);
  else
    cli_complain(PEL_USAGE, "unknown %s '%s'; 'pelsim help' lists the commands", kind, name);
  return NULL;
}

/* pelsim help [COMMAND], and --help and -h in its place. */
static int help(int argc, char **argv) {
  if (argc < 3) {
    print_help(stdout);
    return PEL_OK;
  }
  const cli_command *c = find_command(argv[2]);
  if (!c) return PEL_USAGE;
  print_command_help(c);
  return PEL_OK;
}

static bool is(const char *word, const char *a, const char *b) {
  return !strcmp(word, a) || (b && !strcmp(word, b));
}

static int dispatch(int argc, char **argv) {
  if (argc < 2) {
    print_help(stderr);
    return PEL_USAGE;
  }
  if (is(argv[1], "--version", "-V")) {
    printf("pelsim %s\n", PELSIM_VERSION);
    return PEL_OK;
  }
  if (is(argv[1], "--help", "-h") || is(argv[1], "help", NULL)) return help(argc, argv);
  const cli_command *c = find_command(argv[1]);
  if (!c) return PEL_USAGE;
  static cli_arguments a;
  const int wrong = cli_options_parse(c, argc, argv, &a);
  if (wrong) return wrong;
  if (a.help) {
    print_command_help(c);
    return PEL_OK;
  }
  return c->run(&a);
}

int main(int argc, char **argv) {
  const int code = dispatch(argc, argv);
  /* What was printed must have arrived: a full disk behind `pelsim params > FILE` is no success. */
  errno = 0;
  if ((fflush(stdout) != 0 || ferror(stdout)) && code == PEL_OK)
    return cli_complain(PEL_IO, "cannot write to the standard output: %s",
                        errno ? strerror(errno) : "an earlier part of it was lost");
  return code;
}
