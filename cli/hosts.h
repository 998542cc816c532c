/* The hosts on which ranks run, when no batch system knows them. */
#ifndef CLI_HOSTS_H
#define CLI_HOSTS_H

#include "command.h"

typedef struct {
  char name[256];
  int slots; /* ranks that it takes */
  bool alive;
  char why[200]; /* it is not */
} cli_host_state;

typedef struct {
  int n; /* 0: there is no list */
  cli_host_state *host;
} cli_hosts;

/* given: "a:4,b:4" or the path of a hostfile; NULL: Open MPI's default hostfile, if the environment
 * names one and each line has slots.  0, or an exit code after a sentence. */
int cli_hosts_read(const char *given, cli_hosts *h);
/* Which are alive; kills what this job has left on them.  Takes 10 s if one is silent. */
void cli_hosts_ask(cli_hosts *h);
int cli_hosts_slots(const cli_hosts *h); /* of those alive */
/* Tells Open MPI to use those alive, by a file in the folder scratch.  0, or an exit code. */
int cli_hosts_use(const cli_hosts *h, const char *scratch);
/* "b (no answer within 10 s)"; "": all are alive. */
void cli_hosts_name_lost(const cli_hosts *h, char *text, size_t size);

#endif
