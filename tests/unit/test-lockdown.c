/* lockdown: a process that cannot load its whole filter says so; after it, the filter holds. */
#include "base/lockdown.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "tests/tap.h"

/* Answers EDOM to uname(2), allows all else. */
static const struct sock_filter no_uname[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_uname, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EDOM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

static void bad_filters(void) {
        autoclose int open_file = memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        autoclose int ragged = memfd_sealed("ragged", no_uname, sizeof(no_uname) - 1, false, NULL);
        autoclose int empty = memfd_sealed("empty", "", 0, false, NULL);
        autoclose int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        Error err = ERROR_EMPTY;

        is_number(filter_load(open_file, &err), -EINVAL, "a filter that can still change");
        has_text(err.text, "not sealed", "is named");
        is_number(filter_load(ragged, &err), -EINVAL, "half an instruction");
        has_text(err.text, "no whole program", "is named");
        is_number(filter_load(empty, &err), -EINVAL, "an empty filter");
        ok(filter_load(null, &err) < 0, "what is no memfd");
        is_number(filter_load(-1, &err), -EBADF, "no descriptor");
}

/* Runs in a child; the exit status names the first thing that is wrong. */
static int locked_child(int filter) {
        char name[400];

        if (lock_down(2, filter, NULL) < 0)
                return 1;
        if (fcntl(3, F_GETFD) >= 0 || fcntl(filter, F_GETFD) >= 0)
                return 2;
        if (prctl(PR_GET_DUMPABLE) != 0)
                return 3;
        if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
                return 4;
        return syscall(SYS_uname, name) < 0 && errno == EDOM ? 0 : 5;
}

static void locks_down(void) {
        autoclose int filter = memfd_sealed("filter", no_uname, sizeof(no_uname), false, NULL);
        int status = 0;
        pid_t pid;

        (void) fflush(stdout);
        pid = fork();
        if (pid == 0)
                _exit(locked_child(filter));
        (void) waitpid(pid, &status, 0);
        is_number(WEXITSTATUS(status), 0,
                  "descriptors closed, undumpable, no new privileges, the filter holds");
}

static void bad_filter_ends_start_up(void) {
        autoclose int kept = memfd_sealed("x", "12345678", 7, false, NULL);
        int status = 0;
        pid_t pid;

        (void) fflush(stdout);
        pid = fork();
        if (pid == 0)
                _exit(lock_down(2, dup(kept), NULL) == -EINVAL ? 0 : 1);
        (void) waitpid(pid, &status, 0);
        is_number(WEXITSTATUS(status), 0, "a broken filter is an error, not a process without one");
}

int main(void) {
        bad_filters();
        locks_down();
        bad_filter_ends_start_up();
        return tap_end();
}
