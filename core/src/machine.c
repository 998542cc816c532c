/* The machine under a run, as hwloc sees it, and what its memory can deliver (McCalpin 1995,
 * Memory bandwidth and machine balance: the copy kernel). */
#define _GNU_SOURCE /* sched_getaffinity */
#include "machine.h"
#include <dirent.h>
#include <hwloc.h>
#include <math.h>
#include <omp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "pelsim/memory.h"
#ifdef __SSE2__
#include <immintrin.h>
#endif

enum { MASK_BYTES = 1024 }; /* 8192 logical processors */

/* ---- this rank ---- */

/* What a container may use, from one of the first two numbers of a file of its control group; 0 if
 * there is no limit.  Neither the mask nor the number of pages shows these limits. */
static double group_limit(const char *file, bool quotient) {
  double limit = 0, period = 1;
  FILE *f = fopen(file, "re");
  if (!f) return 0;
  if (fscanf(f, quotient ? "%lf %lf" : "%lf", &limit, &period) != 1 + quotient) limit = 0;
  fclose(f); /* "max", no limit, is not a number */
  return limit > 0 && period > 0 ? limit / period : 0;
}

static int at_least_one(int n) { return n > 0 ? n : 1; }

static size_t cache_bytes(hwloc_obj_t pu, hwloc_obj_type_t type, hwloc_obj_t *found) {
  *found = pu;
  while (*found && (*found)->type != type) *found = (*found)->parent;
  return *found ? (size_t)(*found)->attr->cache.size : 0;
}

static int cores_in(hwloc_topology_t t, hwloc_const_cpuset_t set) {
  int cores = 0;
  const int n = hwloc_get_nbobjs_by_type(t, HWLOC_OBJ_CORE);
  for (int i = 0; i < n; ++i)
    cores += hwloc_bitmap_intersects(hwloc_get_obj_by_type(t, HWLOC_OBJ_CORE, i)->cpuset, set);
  /* Some virtual machines show processors but no cores. */
  return n > 0 ? cores : hwloc_bitmap_weight(set);
}

static int objects_in(hwloc_topology_t t, hwloc_obj_type_t type, hwloc_const_cpuset_t set) {
  int count = 0;
  const int n = hwloc_get_nbobjs_by_type(t, type);
  for (int i = 0; i < n; ++i)
    count += hwloc_bitmap_intersects(hwloc_get_obj_by_type(t, type, i)->cpuset, set);
  return count;
}

static void look_at_caches(hwloc_topology_t t, hwloc_const_cpuset_t mask, pel__machine *m) {
  hwloc_obj_t l2, l3, pu = hwloc_get_pu_obj_by_os_index(t, (unsigned)hwloc_bitmap_first(mask));
  m->l2 = cache_bytes(pu, HWLOC_OBJ_L2CACHE, &l2);
  m->l3 = cache_bytes(pu, HWLOC_OBJ_L3CACHE, &l3);
  if (l2) m->l2 /= (size_t)at_least_one(cores_in(t, l2->cpuset));
  if (l3) m->l3 /= (size_t)at_least_one(cores_in(t, l3->cpuset));
}

static void look_at_topology(const unsigned char *bytes, pel__machine *m) {
  hwloc_topology_t t;
  hwloc_bitmap_t mask = hwloc_bitmap_alloc();
  for (int i = 0; i < 8 * MASK_BYTES; ++i)
    if (bytes[i / 8] >> i % 8 & 1) hwloc_bitmap_set(mask, (unsigned)i);
  m->node_cores = m->cores = hwloc_bitmap_weight(mask);
  m->domains = 1;
  if (hwloc_topology_init(&t) == 0) {
    if (hwloc_topology_load(t) == 0) {
      const int numa = objects_in(t, HWLOC_OBJ_NUMANODE, mask);
      const int l3 = objects_in(t, HWLOC_OBJ_L3CACHE, mask);
      m->cores = cores_in(t, mask);
      m->node_cores = cores_in(t, hwloc_topology_get_allowed_cpuset(t));
      m->domains = at_least_one(numa > l3 ? numa : l3);
      look_at_caches(t, mask, m);
    }
    hwloc_topology_destroy(t);
  }
  hwloc_bitmap_free(mask);
}

static void look_at_limits(pel__machine *m) {
  const double time = ceil(group_limit("/sys/fs/cgroup/cpu.max", true));
  const double memory = group_limit("/sys/fs/cgroup/memory.max", false);
  if (time > 0 && time < m->cores) m->cores = (int)time;
  if (time > 0 && time < m->node_cores) m->node_cores = (int)time;
  m->cores = at_least_one(m->cores);
  m->node_cores = at_least_one(m->node_cores);
  m->memory = (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
  if (memory > 0 && memory < (double)m->memory) m->memory = (size_t)memory;
}

/* ---- its neighbours ---- */

static int count_sharers(MPI_Comm node, const unsigned char *mine, int ranks) {
  unsigned char *masks = pel_malloc((size_t)ranks * MASK_BYTES);
  int sharers = 0;
  MPI_Allgather(mine, MASK_BYTES, MPI_BYTE, masks, MASK_BYTES, MPI_BYTE, node);
  for (int r = 0; r < ranks; ++r) {
    bool overlap = false;
    for (int i = 0; i < MASK_BYTES && !overlap; ++i)
      overlap = mine[i] & masks[(size_t)r * MASK_BYTES + (size_t)i];
    sharers += overlap;
  }
  free(masks);
  return at_least_one(sharers);
}

void pel__machine_look(MPI_Comm comm, pel__machine *m) {
  unsigned char mask[MASK_BYTES] = {0};
  MPI_Comm node;
  int rank;
  *m = (pel__machine){0};
  if (sched_getaffinity(0, MASK_BYTES, (cpu_set_t *)mask)) mask[0] = 1;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &node);
  MPI_Comm_rank(node, &m->node_rank);
  MPI_Comm_size(node, &m->node_ranks);
  look_at_topology(mask, m);
  look_at_limits(m);
  m->sharers = count_sharers(node, mask, m->node_ranks);
  m->shares_cores = m->sharers > 1;
  const int first = m->node_rank == 0;
  MPI_Allreduce(&first, &m->nodes, 1, MPI_INT, MPI_SUM, comm);
  MPI_Comm_free(&node);
}

int pel__machine_threads(const pel__machine *m) { return at_least_one(m->cores / m->sharers); }

bool pel__machine_crowded(const pel__machine *m, int threads) {
  return threads * m->sharers > m->cores;
}

bool pel__machine_advice(const pel__machine *m, int threads, char *sentence, size_t size) {
  const int all = threads * m->node_ranks;
  const bool crowded = pel__machine_crowded(m, threads);
  if (crowded && all <= m->node_cores) {
    snprintf(sentence, size,
             "%d threads a rank are pinned to %d core%s although the node has %d: start with "
             "`mpirun --map-by slot:PE=%d --bind-to core`",
             threads, m->cores, m->cores > 1 ? "s" : "", m->node_cores, threads);
    return true;
  }
  if (crowded && m->sharers > m->cores) {
    snprintf(sentence, size,
             "%d ranks share %d cores and wait for each other: start at most %d ranks a node, "
             "with -t 1",
             m->sharers, m->cores, m->node_cores);
    return true;
  }
  if (crowded) {
    snprintf(sentence, size,
             "%d x %d threads share %d cores and wait for each other: use -t %d, or fewer ranks",
             m->sharers, threads, m->cores, pel__machine_threads(m));
    return true;
  }
  if (m->domains < 2 || m->cores == 1) return false; /* wherever a thread runs, memory is as near */
  if (m->shares_cores) {
    snprintf(sentence, size,
             "%d ranks are free to wander over %d cores, away from their memory: start with "
             "`mpirun --map-by slot:PE=%d --bind-to core`",
             m->sharers, m->cores, threads);
    return true;
  }
  if (threads > 1 && omp_get_proc_bind() == omp_proc_bind_false) {
    snprintf(sentence, size,
             "%d threads are free to wander over %d cores, away from their memory: start with "
             "`OMP_PROC_BIND=close OMP_PLACES=cores`",
             threads, m->cores);
    return true;
  }
  return false;
}

/* ---- other programs ---- */

double pel__machine_waited(void) {
  const char *folder = "/proc/self/task";
  double sum = 0;
  bool told = false;
  DIR *d = opendir(folder);
  if (!d) return -1;
  for (const struct dirent *task; (task = readdir(d));) {
    char path[300];
    double running, waiting; /* [ns] */
    snprintf(path, sizeof path, "%s/%.200s/schedstat", folder, task->d_name);
    FILE *f = *task->d_name == '.' ? NULL : fopen(path, "re");
    if (!f) continue;
    if (fscanf(f, "%lf %lf", &running, &waiting) == 2) sum += waiting, told = true;
    fclose(f);
  }
  closedir(d);
  return told ? 1e-9 * sum : -1;
}

/* ---- bandwidth ---- */

/* Copies n doubles (a multiple of 8, 64-byte aligned) past the caches, so that a store does not
 * first load what it overwrites and the traffic is what is counted. */
static void copy_streaming(double *restrict to, const double *restrict from, size_t n) {
#if defined(__AVX512F__)
  for (size_t i = 0; i < n; i += 8) _mm512_stream_pd(to + i, _mm512_load_pd(from + i));
#elif defined(__AVX__)
  for (size_t i = 0; i < n; i += 4) _mm256_stream_pd(to + i, _mm256_load_pd(from + i));
#elif defined(__SSE2__)
  for (size_t i = 0; i < n; i += 2) _mm_stream_pd(to + i, _mm_load_pd(from + i));
#else
  memcpy(to, from, n * sizeof *to);
#endif
#ifdef __SSE2__
  _mm_sfence();
#endif
}

/* Each thread copies its own part until the time is over; returns the bytes a second of all. */
static double copy_for(double seconds, double *to, const double *from, size_t n, int threads) {
  double rate = 0;
#pragma omp parallel num_threads(threads) reduction(+ : rate)
  {
    const size_t t = (size_t)omp_get_thread_num(), nt = (size_t)omp_get_num_threads();
    const size_t lo = n / 8 * t / nt * 8, hi = n / 8 * (t + 1) / nt * 8;
#pragma omp barrier
    const double begun = omp_get_wtime();
    double now = begun, bytes = 0;
    do {
      copy_streaming(to + lo, from + lo, hi - lo);
      bytes += 2. * (double)(hi - lo) * sizeof *to;
      now = omp_get_wtime();
    } while (now - begun < seconds);
    rate += bytes / (now - begun);
  }
  return rate;
}

/* Memory of `bytes` bytes, each page touched by the thread that will use it. */
static double *touched(size_t bytes, int threads) {
  double *x = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (x == MAP_FAILED) return NULL;
#ifdef MADV_HUGEPAGE
  madvise(x, bytes, MADV_HUGEPAGE);
#endif
  const size_t n = bytes / sizeof *x;
#pragma omp parallel num_threads(threads)
  {
    const size_t t = (size_t)omp_get_thread_num(), nt = (size_t)omp_get_num_threads();
    const size_t lo = n / 8 * t / nt * 8, hi = n / 8 * (t + 1) / nt * 8;
    for (size_t i = lo; i < hi; i += 512) x[i] = 1;
  }
  return x;
}

/* Bytes of each of the two arrays of a rank: four times its share of the last cache. */
static size_t array_bytes(const pel__machine *m, int threads) {
  const size_t page = 2 << 20, least = 32 << 20, most = 256 << 20;
  const size_t room = m->memory / 16 / (size_t)at_least_one(m->node_ranks);
  size_t bytes = 4 * (size_t)threads * (m->l3 ? m->l3 : m->l2);
  if (bytes < least) bytes = least;
  if (bytes > most) bytes = most;
  if (m->memory && bytes > room) bytes = room;
  return (bytes + page - 1) / page * page;
}

double pel__machine_bandwidth(MPI_Comm comm, const pel__machine *m, int threads) {
  enum { WINDOWS = 3 }; /* the best of three: a disturbed one is too low, none is too high */
  const size_t bytes = array_bytes(m, threads);
  double *to = touched(bytes, threads), *from = touched(bytes, threads);
  double best = 0;
  for (int w = 0; w < WINDOWS; ++w) {
    double all, mine = NAN; /* without memory nothing is known, on any rank */
    MPI_Barrier(comm);
    if (to && from) mine = copy_for(.05 / WINDOWS, to, from, bytes / sizeof *to, threads);
    MPI_Allreduce(&mine, &all, 1, MPI_DOUBLE, MPI_SUM, comm);
    if (all > best) best = all;
  }
  if (to) munmap(to, bytes);
  if (from) munmap(from, bytes);
  return best;
}
