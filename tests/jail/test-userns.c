/* userns: what makes a user namespace does not outlive who wants it, and where it is killed that is said. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/owned.h"
#include "sandbox/priv-userns.h"
#include "tests/tap.h"

#define ID_FIRST      1879048192u
#define PATIENCE_MSEC 120000u

static void end_at_once(int signal) {
        (void) signal;
        (void) kill(getpid(), SIGKILL);
}

/* Killed in the moment in which the first of its children has ended */
_Noreturn static void make(uint32_t owner) {
        const IdMap map = {
                .outside_uid = ID_FIRST, .outside_gid = ID_FIRST, .count = 1, .owner = owner
        };
        int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (proc < 0 || signal(SIGCHLD, end_at_once) == SIG_ERR)
                _exit(1);
        (void) userns_new(proc, &map, NULL);
        _exit(2); /* it was not killed */
}

/* Ours when their parent is dead. Returns: whether none of them lives on */
static bool orphans_end(void) {
        for (unsigned i = 0; i < PATIENCE_MSEC / 10; i++) {
                pid_t pid = waitpid(-1, NULL, WNOHANG);

                if (pid < 0)
                        return errno == ECHILD;
                if (pid == 0)
                        (void) usleep(10000);
        }
        return false;
}

static void outlives_nobody(uint32_t owner, const char *what) {
        int status = 0;
        pid_t maker = fork();

        if (maker == 0)
                make(owner);
        (void) waitpid(maker, &status, 0);
        ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "%s: its maker is killed", what);
        ok(orphans_end(), "and nobody that it made lives on");
}

/* From here on who clones into a user namespace is killed by it, as an administrator's kill -9 or the host's lack of memory does. */
static int kill_who_clones(void) {
        struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
                BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_NEWUSER, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        const struct sock_fprog program = { .len = ELEMENTS(code), .filter = code };

        return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void killed_is_told(void) {
        const IdMap map = { .outside_uid = ID_FIRST, .outside_gid = ID_FIRST, .count = 1 };
        int status = 0, proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
        pid_t child = fork();

        if (child == 0) {
                Error err = ERROR_EMPTY;

                if (kill_who_clones() < 0)
                        _exit(1);
                _exit(userns_new(proc, &map, &err) < 0 && err.code < 0 && err.text[0] ? 0 : 2);
        }
        (void) waitpid(child, &status, 0);
        (void) close(proc);
        is_number(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0,
                  "where its maker's child is killed, that is an error with a reason");
}

int main(void) {
        if (geteuid() != 0) {
                tap_skip_all("root");
                return tap_end();
        }
        if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
                return 1;
        outlives_nobody(0, "root's namespace");
        outlives_nobody(ID_FIRST, "another's namespace");
        killed_is_told();
        return tap_end();
}
