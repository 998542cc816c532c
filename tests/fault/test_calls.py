"""Every call that pelsim makes and that could fail is one that can be made to fail.

    test_calls.py BUILD CALLS_H

Looks at what the objects of a build ask of the C library and of MPI.  A name that is neither in
calls.h nor below is new: add it to calls.h, or here with those that cannot fail or whose failure
means nothing.
"""
import glob
import re
import subprocess
import sys

# Text, numbers, time, processes: they fail only by a wrong argument, or not at all.
HARMLESS = set('''
 abort asin cbrt cos difftime div erf erfc exp expm1 feof ferror floor fmax fmin fmod fputc
 fputs fprintf frexp free getenv gmtime_r hypot isatty kill ldexp log log1p log2 lround llrint
 localtime_r memchr memcmp memcpy memmem memmove memset mktime munmap pow printf putchar puts qsort
 rint round sin sincos sinh snprintf sprintf sqrt stderr stdin stdout strcasecmp strcasestr strcat
 strchr strcmp strcpy strcspn strerror strftime strlen strncasecmp strncat strncmp strncpy strnlen
 strpbrk strptime strrchr strsep strsignal strspn strstr strtod strtof strtok strtok_r strtol strtoll
 strtoul strtoull tan tanh time timegm stpcpy trunc nan vfprintf vsnprintf fopencookie
 clock_gettime dlclose dlerror dlopen dlsym dprintf dup2 execv execvp exit fcntl fscanf getpid
 getppid getrusage gethostname getopt ini_parse_stream ioctl madvise nanosleep pause pclose poll prctl
 pthread_mutex_lock pthread_mutex_unlock raise random sched_getaffinity sched_yield setenv setsid
 environ getuid sem_destroy sem_init sem_post sem_timedwait posix_spawn_file_actions_addchdir_np posix_spawn_file_actions_addclose
 posix_spawn_file_actions_adddup2 posix_spawn_file_actions_destroy posix_spawn_file_actions_init
 pthread_cancel pthread_join pthread_setcancelstate pthread_sigmask sigfillset sleep
 sigaction sigaddset sigemptyset signal sigprocmask sscanf sysconf uname unsetenv usleep waitpid
'''.split())
# MPI: what has no arguments to be wrong, what ends the job, how errors are to be handled; and the
# allocation of shared memory, which fails on all ranks of a node or on none (messages then do).
HARMLESS |= {'MPI_' + name for name in '''
 Abort Comm_call_errhandler Win_set_errhandler Comm_create_errhandler Comm_get_errhandler Comm_set_errhandler Errhandler_free Error_string Get_library_version
 Win_allocate_shared Wtime'''.split()}
LIBRARIES = re.compile(  # whose own calls are theirs
    r'(_*pel|cli|H5|nc|json|ut|cv|hwloc|fftw|GOMP|omp|ompi|ZGV|_ZGV|XXH|__|_GLOBAL|_exit|_edata)')


def main(build, header):
    with open(header, encoding='utf-8') as f:
        listed = set(re.findall(r'\w+', f.read()))
    objects = [p for d in ('core', 'io', 'models', 'cli')
               for p in glob.glob(f'{build}/{d}/**/*.o', recursive=True) if 'inject' not in p]
    out = subprocess.run(['nm', '-u', '-P', *objects], capture_output=True, text=True,
                         check=True).stdout
    asked = {line.split()[0].replace('__isoc99_', '').split('@')[0] for line in out.splitlines()
             if line.endswith((' U', ' U ')) or re.search(r' U( |$)', line)}
    new = sorted(n for n in asked if n not in HARMLESS | listed and not LIBRARIES.match(n))
    if not {'open', 'malloc', 'MPI_Bcast'} <= asked:
        sys.exit(f'{build}: the objects are not those of pelsim')
    for name in new:
        print(f'{name} can fail, but not on purpose: add it to {header}')
    print(f'{len(asked)} names asked for, {len(asked & listed)} of them can fail on purpose')
    return len(new)


if __name__ == '__main__':
    sys.exit(1 if main(*sys.argv[1:]) else 0)
