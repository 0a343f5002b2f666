/*
 * spawner: see park.h. It exists because a v1 host counts a process where its parent is counted: what the
 * spawner clones is a command from its first instant, without the slow entering of groups. CLONE_PARENT
 * makes init the parent, which reaps; CLONE_INTO_CGROUP puts the child into its slot.
 */
#include "sandbox/init/spawner.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <sched.h>
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

static void clone_parked(const int *fds, unsigned n) {
        struct clone_args args = { .flags = CLONE_INTO_CGROUP | CLONE_PARENT,
                                   .cgroup = (uint64_t) fds[0] };
        long pid = syscall(SYS_clone3, &args, sizeof(args));
        ParkWord word = { .code = -errno, .step = INIT_STEP_FORK };

        if (pid == 0)
                parked_run(fds[1], fds[2], fds + 3, n - 3);
        if (pid < 0)
                (void) fds_send(fds[1], &word, sizeof(word), NULL, 0);
}

_Noreturn void spawner_run(int sock) {
        ParkRequest request;
        int fds[FDS_MAX];
        unsigned n_fds;

        while (fds_recv(sock, &request, sizeof(request), fds, &n_fds) == sizeof(request)) {
                if (request.kind == PARK_CHILD && n_fds >= 3)
                        clone_parked(fds, n_fds);
                else if (request.kind == PARK_NO_FILES && caps_keep(INIT_CAPS) < 0)
                        break;
                fds_close(fds, n_fds);
        }
        _exit(1);
}
