/* What can be made to fail: included by inject.c with a meaning for each macro, and read by
 * wrap.cmake for the names.  Memory, then system calls by kind, then MPI: all of it but how its
 * errors are to be handled, before which it ends the job in words of its own. */

CALL(MEMORY, ENOMEM, void *, NULL, malloc, (size_t n), (n))
CALL(MEMORY, ENOMEM, void *, NULL, calloc, (size_t n, size_t size), (n, size))
CALL(MEMORY, ENOMEM, void *, NULL, realloc, (void *p, size_t n), (p, n))
CALL(MEMORY, ENOMEM, void *, NULL, aligned_alloc, (size_t to, size_t n), (to, n))
CALL(MEMORY, ENOMEM, char *, NULL, strdup, (const char *s), (s))
CALL(MEMORY, ENOMEM, char *, NULL, strndup, (const char *s, size_t n), (s, n))
CALL(MEMORY, ENOMEM, FILE *, NULL, open_memstream, (char **to, size_t *n), (to, n))
OTHER(asprintf)
OTHER(vasprintf)
CALL(MEMORY, ENOMEM, void *, MAP_FAILED, mmap,
     (void *p, size_t n, int what, int how, int fd, off_t at), (p, n, what, how, fd, at))

OTHER(open)
CALL(OPEN, EMFILE, FILE *, NULL, fopen, (const char *path, const char *how), (path, how))
CALL(OPEN, EIO, DIR *, NULL, opendir, (const char *path), (path))
CALL(OPEN, EROFS, int, -1, mkstemp, (char *path), (path))
CALL(OPEN, EROFS, char *, NULL, mkdtemp, (char *path), (path))
CALL(OPEN, EMFILE, int, -1, memfd_create, (const char *name, unsigned how), (name, how))
CALL(OPEN, EMFILE, FILE *, NULL, popen, (const char *command, const char *how), (command, how))
CALL(OPEN, EMFILE, int, -1, pipe2, (int *fd, int how), (fd, how))

PART(READ, EIO, read, (int fd, void *to, size_t n), (fd, to, n), (fd, to, n / 2))
PART(READ, EIO, pread, (int fd, void *to, size_t n, off_t at), (fd, to, n, at), (fd, to, n / 2, at))
OTHER(fread)
OTHER(fgets)
OTHER(getline)
OTHER(__getdelim)

PART(WRITE, ENOSPC, write, (int fd, const void *from, size_t n), (fd, from, n), (fd, from, n / 2))
PART(WRITE, ENOSPC, pwrite, (int fd, const void *from, size_t n, off_t at), (fd, from, n, at),
     (fd, from, n / 2, at))
OTHER(pwritev)
OTHER(fwrite)
OTHER(fflush)
ENDS(WRITE, ENOSPC, int, EOF, fclose, (FILE * f), (f))
ENDS(WRITE, EDQUOT, int, -1, close, (int fd), (fd))
CALL(WRITE, EIO, int, -1, ftruncate, (int fd, off_t n), (fd, n))
CALL(WRITE, ENOSPC, int, -1, fallocate, (int fd, int how, off_t at, off_t n), (fd, how, at, n))

CALL(SYNC, EIO, int, -1, fsync, (int fd), (fd))
CALL(SYNC, EIO, int, -1, sync_file_range, (int fd, off_t at, off_t n, unsigned how),
     (fd, at, n, how))

CALL(NAME, EROFS, int, -1, rename, (const char *from, const char *to), (from, to))
CALL(NAME, EROFS, int, -1, unlink, (const char *path), (path))
CALL(NAME, EROFS, int, -1, mkdir, (const char *path, mode_t mode), (path, mode))
CALL(NAME, EROFS, int, -1, chmod, (const char *path, mode_t mode), (path, mode))
CALL(NAME, EROFS, int, -1, remove, (const char *path), (path))

CALL(SYSTEM, EIO, int, -1, stat, (const char *path, struct stat *to), (path, to))
CALL(SYSTEM, EIO, int, -1, fstat, (int fd, struct stat *to), (fd, to))
CALL(SYSTEM, EIO, int, -1, lstat, (const char *path, struct stat *to), (path, to))
CALL(SYSTEM, EIO, off_t, -1, lseek, (int fd, off_t at, int from), (fd, at, from))
CALL(SYSTEM, EIO, int, -1, access, (const char *path, int how), (path, how))
CALL(SYSTEM, EIO, int, -1, statvfs, (const char *path, struct statvfs *to), (path, to))
CALL(SYSTEM, EIO, struct dirent *, NULL, readdir, (DIR * d), (d))
ENDS(SYSTEM, EIO, int, -1, closedir, (DIR * d), (d))
CALL(SYSTEM, EINVAL, int, -1, getrlimit, (__rlimit_resource_t what, struct rlimit *to), (what, to))
CALL(SYSTEM, ENOLCK, int, -1, flock, (int fd, int how), (fd, how))
CALL(SYSTEM, EIO, ssize_t, -1, readlink, (const char *path, char *to, size_t n), (path, to, n))
CALL(SYSTEM, EIO, char *, NULL, realpath, (const char *path, char *to), (path, to))
CALL(SYSTEM, EACCES, char *, NULL, getcwd, (char *to, size_t n), (to, n))
CALL(SYSTEM, EMFILE, int, -1, nftw, (const char *path, visitor *visit, int n, int how),
     (path, visit, n, how))
CALL(SYSTEM, EAGAIN, pid_t, -1, fork, (void), ())
CALL(SYSTEM, EAGAIN, int, EAGAIN, posix_spawnp,
     (pid_t * to, const char *file, const void *actions, const void *how, char *const *argv,
      char *const *environment),
     (to, file, actions, how, argv, environment))
CALL(SYSTEM, EAGAIN, int, EAGAIN, pthread_create,
     (pthread_t * to, const void *how, void *(*run)(void *), void *with), (to, how, run, with))
CALL(SYSTEM, EMFILE, int, -1, signalfd, (int fd, const void *mask, int how), (fd, mask, how))

OTHER(MPI_Init_thread)
OTHER(MPI_Finalize)
MESSAGE(MPI_Comm_dup, (MPI_Comm c, MPI_Comm *to), (c, to), (MPI_COMM_NULL, to))
MESSAGE(MPI_Comm_free, (MPI_Comm * c), (c), (&(MPI_Comm){MPI_COMM_NULL}))
MESSAGE(MPI_Comm_rank, (MPI_Comm c, int *to), (c, to), (MPI_COMM_NULL, to))
MESSAGE(MPI_Comm_size, (MPI_Comm c, int *to), (c, to), (MPI_COMM_NULL, to))
MESSAGE(MPI_Comm_group, (MPI_Comm c, MPI_Group *to), (c, to), (MPI_COMM_NULL, to))
MESSAGE(MPI_Comm_split_type, (MPI_Comm c, int by, int key, MPI_Info i, MPI_Comm *to),
        (c, by, key, i, to), (c, -77, key, i, to))
MESSAGE(MPI_Group_translate_ranks, (MPI_Group a, int n, const int *r, MPI_Group b, int *to),
        (a, n, r, b, to), (a, -1, r, b, to))
MESSAGE(MPI_Group_free, (MPI_Group * g), (g), (&(MPI_Group){MPI_GROUP_NULL}))
MESSAGE(MPI_Type_contiguous, (int n, MPI_Datatype t, MPI_Datatype *to), (n, t, to), (-1, t, to))
MESSAGE(MPI_Type_commit, (MPI_Datatype * t), (t), (&(MPI_Datatype){MPI_DATATYPE_NULL}))
MESSAGE(MPI_Type_free, (MPI_Datatype * t), (t), (&(MPI_Datatype){MPI_DATATYPE_NULL}))
MESSAGE(MPI_Info_create, (MPI_Info * to), (to), (NULL))
MESSAGE(MPI_Info_set, (MPI_Info i, const char *key, const char *value), (i, key, value),
        (MPI_INFO_NULL, key, value))
MESSAGE(MPI_Info_free, (MPI_Info * i), (i), (&(MPI_Info){MPI_INFO_NULL}))

MESSAGE(MPI_Barrier, (MPI_Comm c), (c), (MPI_COMM_NULL))
MESSAGE(MPI_Bcast, (void *x, int n, MPI_Datatype t, int root, MPI_Comm c), (x, n, t, root, c),
        (x, -1, t, root, c))
MESSAGE(MPI_Reduce,
        (const void *x, void *y, int n, MPI_Datatype t, MPI_Op op, int root, MPI_Comm c),
        (x, y, n, t, op, root, c), (x, y, -1, t, op, root, c))
MESSAGE(MPI_Allreduce, (const void *x, void *y, int n, MPI_Datatype t, MPI_Op op, MPI_Comm c),
        (x, y, n, t, op, c), (x, y, -1, t, op, c))
MESSAGE(MPI_Gather,
        (const void *x, int n, MPI_Datatype t, void *y, int m, MPI_Datatype u, int root,
         MPI_Comm c),
        (x, n, t, y, m, u, root, c), (x, n, t, y, m, u, -77, c))
MESSAGE(MPI_Gatherv,
        (const void *x, int n, MPI_Datatype t, void *y, const int *m, const int *at, MPI_Datatype u,
         int root, MPI_Comm c),
        (x, n, t, y, m, at, u, root, c), (x, n, t, y, m, at, u, -77, c))
MESSAGE(MPI_Allgather,
        (const void *x, int n, MPI_Datatype t, void *y, int m, MPI_Datatype u, MPI_Comm c),
        (x, n, t, y, m, u, c), (x, n, t, y, -1, u, c))
MESSAGE(MPI_Alltoall,
        (const void *x, int n, MPI_Datatype t, void *y, int m, MPI_Datatype u, MPI_Comm c),
        (x, n, t, y, m, u, c), (x, n, t, y, -1, u, c))
MESSAGE(MPI_Alltoallv,
        (const void *x, const int *n, const int *at, MPI_Datatype t, void *y, const int *m,
         const int *to, MPI_Datatype u, MPI_Comm c),
        (x, n, at, t, y, m, to, u, c), (x, n, at, t, y, m, to, MPI_DATATYPE_NULL, c))

MESSAGE(MPI_Send, (const void *x, int n, MPI_Datatype t, int to, int tag, MPI_Comm c),
        (x, n, t, to, tag, c), (x, n, t, -77, tag, c))
MESSAGE(MPI_Recv, (void *x, int n, MPI_Datatype t, int from, int tag, MPI_Comm c, MPI_Status *s),
        (x, n, t, from, tag, c, s), (x, n, t, -77, tag, c, s))
MESSAGE(MPI_Isend,
        (const void *x, int n, MPI_Datatype t, int to, int tag, MPI_Comm c, MPI_Request *r),
        (x, n, t, to, tag, c, r), (x, n, t, -77, tag, c, r))
MESSAGE(MPI_Irecv, (void *x, int n, MPI_Datatype t, int from, int tag, MPI_Comm c, MPI_Request *r),
        (x, n, t, from, tag, c, r), (x, n, t, -77, tag, c, r))
MESSAGE(MPI_Send_init,
        (const void *x, int n, MPI_Datatype t, int to, int tag, MPI_Comm c, MPI_Request *r),
        (x, n, t, to, tag, c, r), (x, n, t, -77, tag, c, r))
MESSAGE(MPI_Recv_init,
        (void *x, int n, MPI_Datatype t, int from, int tag, MPI_Comm c, MPI_Request *r),
        (x, n, t, from, tag, c, r), (x, n, t, -77, tag, c, r))
MESSAGE(MPI_Start, (MPI_Request * r), (r), (&(MPI_Request){MPI_REQUEST_NULL}))
MESSAGE(MPI_Waitall, (int n, MPI_Request *r, MPI_Status *s), (n, r, s), (-1, r, s))
MESSAGE(MPI_Waitany, (int n, MPI_Request *r, int *i, MPI_Status *s), (n, r, i, s), (-1, r, i, s))
MESSAGE(MPI_Request_free, (MPI_Request * r), (r), (&(MPI_Request){MPI_REQUEST_NULL}))
MESSAGE(MPI_Request_get_status, (MPI_Request r, int *flag, MPI_Status *s), (r, flag, s),
        (r, NULL, s))

MESSAGE(MPI_Win_shared_query, (MPI_Win w, int r, MPI_Aint *n, int *unit, void *to),
        (w, r, n, unit, to), (MPI_WIN_NULL, r, n, unit, to))
MESSAGE(MPI_Win_lock_all, (int how, MPI_Win w), (how, w), (-1, w))
MESSAGE(MPI_Win_unlock_all, (MPI_Win w), (w), (MPI_WIN_NULL))
MESSAGE(MPI_Win_sync, (MPI_Win w), (w), (MPI_WIN_NULL))
MESSAGE(MPI_Win_free, (MPI_Win * w), (w), (&(MPI_Win){MPI_WIN_NULL}))
