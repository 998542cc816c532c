/* The pelsim command: what its subcommands share. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "pelsim/embed.h"
#include "pelsim/memory.h"

/* The values of an option that may be repeated, in order. */
typedef struct {
  const char **word;
  int n;
} cli_list;

/* Everything a command line can say: each option of each subcommand has its member here. */
typedef struct {
  char *const *operand; /* what is not an option: CONFIG, FILE ..., MODEL, NAME */
  int noperands;
  cli_list set, sweep, directives;        /* -s, --sweep, --option */
  int64_t ranks, threads, steps, retries; /* 0: not given */
  int64_t nodes, chain, parallel;
  const char *limit, *scheduler, *memory; /* of submit */
  const char *dir, *resume;               /* NULL: not given; resume "": without a file */
  const char *format, *frame, *output, *hosts;
  bool overwrite, auto_resume, json, markdown, resumable, dry_run, help;
  pel_progress progress;
  double tolerance;
  const char **worker; /* the command line of a rank, without what is for its starter */
  bool *once;          /* [nworker]: not for an attempt after the first */
  int nworker;
  char **argv; /* as main got it */
} cli_arguments;

/* One bit a subcommand, so that an option can name those that take it. */
enum {
  CLI_RUN = 1 << 0,
  CLI_CHECK = 1 << 1,
  CLI_MODELS = 1 << 2,
  CLI_PARAMS = 1 << 3,
  CLI_INIT = 1 << 4,
  CLI_INFO = 1 << 5,
  CLI_VERIFY = 1 << 6,
  CLI_DIFF = 1 << 7,
  CLI_FINGERPRINT = 1 << 8,
  CLI_NEW_MODEL = 1 << 9,
  CLI_EXPORT = 1 << 10,
  CLI_STATUS_OF = 1 << 11,
  CLI_SUBMIT = 1 << 12,
  CLI_ALL = (1 << 13) - 1
};

/* A subcommand; run returns an exit code of pelsim/error.h. */
typedef struct {
  int bit;
  const char *name;
  const char *operands; /* for the usage line: "CONFIG", "FILE...", "[MODEL]" */
  int min, max;         /* number of operands; max < 0: any */
  const char *summary;  /* a few words for the list of commands */
  const char *text;     /* what `pelsim help NAME` says */
  int (*run)(const cli_arguments *a);
} cli_command;

int cli_run(const cli_arguments *a);
int cli_check(const cli_arguments *a);
int cli_models(const cli_arguments *a);
int cli_params(const cli_arguments *a);
int cli_init(const cli_arguments *a);
int cli_info(const cli_arguments *a);
int cli_verify(const cli_arguments *a);
int cli_diff(const cli_arguments *a);
int cli_export(const cli_arguments *a);
int cli_fingerprint(const cli_arguments *a);
int cli_new_model(const cli_arguments *a);
int cli_status(const cli_arguments *a);
int cli_submit(const cli_arguments *a);

/* What can be run: the built-in models and the HDF5 files. */
const pel_host *cli_host(void);

/* ---- options.c ---- */

/* Reads argv[2..] for c into *a, which lives as long as the program.  0, or PEL_USAGE after one
 * sentence on stderr. */
int cli_options_parse(const cli_command *c, int argc, char **argv, cli_arguments *a);
/* The options of c, one line each. */
void cli_options_print(const cli_command *c, FILE *out);

/* One sentence on stderr, "pelsim: ..."; under a launcher only the first rank speaks.  Returns
 * code. */
int cli_complain(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Calls look for the first `files` operands and returns the worst exit code.  What it prints
 * appears on stdout, or on stderr when it fails. */
typedef int cli_look(FILE *out, const cli_arguments *a, const char *path);
int cli_tool(const cli_arguments *a, cli_look *look, int files);

/* ---- parallel.c, world.c, supervise.c ---- */

/* Calls task with all ranks that the user asked for: in this process, in the ranks that mpirun or
 * srun has started, or by starting mpirun.  stoppable: signals become pel_request_stop.  Returns
 * the exit code. */
typedef int cli_task(MPI_Comm comm, const pel_request *r, const cli_arguments *a);
int cli_parallel(const cli_arguments *a, cli_task *task, bool stoppable);

/* The same in this process alone, as a preparation for something else: the environment stays as it
 * was. */
int cli_alone(const cli_arguments *a, cli_task *task);
/* What pelsim/embed.h is asked for: the command line's CONFIG and options. */
pel_request cli_request(const cli_arguments *a);

/* Which launcher started this process, from the environment: cheap, before MPI_Init. */
typedef struct {
  const char *launcher; /* NULL: none */
  int rank, size;       /* as the launcher says; 0 and 1 without one */
} cli_world;
cli_world cli_world_look(void);

/* A file through which the first rank tells the process that started mpirun how far it is, because
 * mpirun's exit code does not tell.  CLI_STATUS names it in the environment. */
#define CLI_STATUS "PELSIM_STATUS"
enum { CLI_STARTING = -1, CLI_READY = -2, CLI_UNKNOWN = -3 }; /* otherwise the exit code */
bool cli_status_write(int status);
int cli_status_read(const char *path);

/* What a later attempt is told in the environment: the step to stop at, and when the first
 * began, in seconds of the epoch. */
#define CLI_UNTIL "PELSIM_UNTIL"
#define CLI_SINCE "PELSIM_SINCE"
/* How the ranks were to be started, as on the command line, for the command that continues. */
#define CLI_GIVEN "PELSIM_GIVEN"

/* Starts mpirun with a->worker on `ranks` ranks, passes signals on as SIGUSR1, watches the run, and
 * restarts one that breaks off or hangs up to a->retries times.  ranks 0: as many as a->hosts take,
 * or one.  p: of a run that can be resumed; NULL: of something else.  Returns the exit code of the
 * ranks. */
int cli_launch(const cli_arguments *a, int ranks, const pel_prospect *p);

/* How mpirun shall place the ranks: appends its options to argv (room for 16) and sets what it
 * reads in the environment; a variable that the user has set stays.  Returns the new length. */
int cli_place(int ranks, int threads, const char **argv, int n);
bool cli_managed(void);                /* a batch system or a list of hosts says where */
double cli_place_notices_within(void); /* [s] until Open MPI misses a host */
int cli_place_most(void);              /* ranks that may be started here; no limit in a batch job */
/* The same for a process that is the only rank; may start the program anew, because OpenMP reads
 * its environment before main. */
void cli_place_single(const cli_arguments *a);
/* The part of it that MPI reads: nobody to talk to. */
void cli_place_isolated(void);
double cli_now(void); /* [s] of a clock that nobody sets */
/* Path of this program's file, or NULL. */
const char *cli_self(void);

/* The sentence that answers the first Ctrl-C.  Async-signal-safe. */
void cli_say_stopping(void);
enum { CLI_INTERRUPTED = 130 }; /* exit code after the second: 128 + SIGINT, as shells have it */

/* Passes mpirun's stderr on without its notices about ranks that ended; keeps those.  Lines that
 * begin with PEL_WHEREABOUTS go to hear, if it wants them. */
typedef struct {
  bool (*hear)(void *listener, const char *line); /* NULL: nobody listens */
  void *listener;
  char line[8192], notice[16384], said[512]; /* said: the newest sentence of a rank */
  size_t nline, nnotice;
  bool in_notice, passing; /* passing: the line's beginning has been shown already */
} cli_filter;
void cli_filter_feed(cli_filter *f, const char *text, size_t n, FILE *out);
void cli_filter_end(cli_filter *f, FILE *out);

#endif
