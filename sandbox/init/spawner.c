/*
 * spawner: see park.h. It exists because a v1 host counts a process where its parent is counted: what the
 * spawner clones is a command from its first instant, without the slow entering of groups. CLONE_PARENT
 * makes init the parent, which reaps; CLONE_INTO_CGROUP puts the child into its slot.
 *
 * Being counted with the commands it could be killed with them where their memory is full: it comes last
 * (sandbox/oom-order.h), and its children must not.
 */
#include "sandbox/init/spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fds.h"
#include "sandbox/init/parked.h"

int caps_keep(uint32_t mask) {
        struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[2] = { { mask, mask, mask }, { 0, 0, 0 } };

        /* the kernel takes out of the ambient set what is no longer permitted and inheritable */
        return syscall(SYS_capset, &head, data) < 0 ? -errno : 0;
}

/* ---- the kernel's order of victims ----------------------------------------------------------------- */

#define SCORE_FILE   "/proc/self/oom_score_adj"
#define SCORE_COMMON "0" /* OOM_ORDER_COMMON */

/* Where it cannot be read we take it for one: then no child starts that might keep it. */
static bool is_last_victim(void) {
        char sign;
        int fd = open(SCORE_FILE, O_RDONLY | O_CLOEXEC);
        bool last = fd < 0 || read(fd, &sign, 1) != 1 || sign == '-';

        if (fd >= 0)
                (void) close(fd);
        return last;
}

/*
 * A child that is last in the order goes to where all commands stand, before it says a word: the jail's /proc
 * is not exchanged before that. The file is its own only while it is dumpable; nobody else has its id then,
 * so that nobody could trace it.
 */
static int leave_last_place(void) {
        int fd, r = 0;

        if (prctl(PR_SET_DUMPABLE, 1) < 0)
                return -errno;
        fd = open(SCORE_FILE, O_WRONLY | O_CLOEXEC);
        if (fd < 0 || write(fd, SCORE_COMMON, strlen(SCORE_COMMON)) < 0)
                r = -errno;
        if (fd >= 0)
                (void) close(fd);
        return prctl(PR_SET_DUMPABLE, 0) < 0 ? -errno : r;
}

/* ---- children -------------------------------------------------------------------------------------- */

static void clone_parked(bool last, const int *fds, unsigned n) {
        struct clone_args args = { .flags = CLONE_INTO_CGROUP | CLONE_PARENT,
                                   .cgroup = (uint64_t) fds[0] };
        long pid = syscall(SYS_clone3, &args, sizeof(args));
        ParkWord word = { .code = -errno, .step = INIT_STEP_FORK };

        if (pid == 0 && last)
                word.code = leave_last_place();
        if (pid == 0 && (!last || word.code == 0))
                parked_run(fds[1], fds[2], fds + 3, n - 3);
        if (pid <= 0)
                (void) fds_send(fds[1], &word, sizeof(word), NULL, 0);
        if (pid == 0)
                _exit(127);
}

_Noreturn void spawner_run(int sock) {
        const bool last = is_last_victim();
        ParkRequest request;
        int fds[FDS_MAX];
        unsigned n_fds;

        while (fds_recv(sock, &request, sizeof(request), fds, &n_fds) == sizeof(request)) {
                if (request.kind == PARK_CHILD && n_fds >= 3)
                        clone_parked(last, fds, n_fds);
                else if (request.kind == PARK_NO_FILES && caps_keep(INIT_CAPS) < 0)
                        break;
                fds_close(fds, n_fds);
        }
        _exit(1);
}
