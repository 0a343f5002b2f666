/*
 * The profiles of our own programs' jails, as filters run without a kernel: agent allows all that the agent's own
 * filter does; neither allows what default does not, but for the loading of that filter; no other program is
 * executed and no process made. Then the shared budgets, in every shipped profile.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/fds.h"
#include "base/owned.h"
#include "filter-agent.h"
#include "supervisor/front/policy/seccomp-profile.h"
#include "tests/tap.h"
#include "tests/unit/bpf.h"

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#else
#define NATIVE AUDIT_ARCH_AARCH64
#endif

#define CALLS_MAX     512 /* above every call's number */
#define PLAIN_THREAD  0x3d0f00
#define ALLOWED       SECCOMP_RET_ALLOW
#define REFUSED(E)    (SECCOMP_RET_ERRNO | (E))
#define AT_EMPTY_PATH 0x1000

typedef struct Profile {
        struct sock_filter code[BPF_MAXINSNS];
        size_t n;
} Profile;

static bool load(const char *name, Profile *ret) {
        const char *top = getenv("top_srcdir");
        SeccompFilter filter = SECCOMP_FILTER_EMPTY;
        autofree char *text = NULL, *bytes = NULL;
        char path[4096];
        autoclose int fd = -EBADF;
        size_t n = 0, size = 0;
        Error err = ERROR_EMPTY;
        bool good;

        (void) snprintf(path, sizeof path, "%s/policies/seccomp/%s.json", top ? top : ".", name);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || fd_read_all(fd, 1 << 20, &text, &n) < 0 ||
            seccomp_profile_compile(text, n, NATIVE, &filter, &err) < 0)
                return false;
        good = fd_read_all(filter.fd, sizeof ret->code, &bytes, &size) == 0;
        if (good)
                memcpy(ret->code, bytes, size);
        ret->n = size / sizeof *ret->code;
        free(filter.notices);
        (void) close(filter.fd);
        return good;
}

static uint32_t answer(const Profile *profile, long number, const uint64_t *args) {
        struct seccomp_data data = { .nr = (int) number, .arch = NATIVE };

        memcpy(data.args, args, sizeof data.args);
        return bpf_run(profile->code, profile->n, &data);
}

static uint32_t ask(const Profile *profile, long number, uint64_t first, uint64_t second) {
        const uint64_t args[6] = { first, second };

        return answer(profile, number, args);
}

/* Arguments that a condition may want: a family, a command, a thread. */
static const uint64_t firsts[] = { 0,           AF_UNIX,      AF_INET,      PR_SET_DUMPABLE,
                                   PR_SET_NAME, PLAIN_THREAD, CLONE_NEWUSER };

/* Returns: the first call that @inner allows and @outer does not, with the same arguments; -1: none. */
static long wider(const Profile *inner, const Profile *outer, long but) {
        for (long number = 0; number < CALLS_MAX; number++)
                for (unsigned i = 0; number != but && i < ELEMENTS(firsts); i++)
                        if (ask(inner, number, firsts[i], 0) == ALLOWED &&
                            ask(outer, number, firsts[i], 0) != ALLOWED)
                                return number;
        return -1;
}

static void test_agent(const Profile *agent, const Profile *usual) {
        static Profile own;
        long odd;

        memcpy(own.code, filter_agent, sizeof filter_agent);
        own.n = ELEMENTS(filter_agent);
        odd = wider(&own, agent, SYS_prctl);
        ok(odd < 0, "agent: its jail's profile allows what its own filter does (call %ld)", odd);
        odd = wider(agent, usual, SYS_seccomp);
        ok(odd < 0, "agent: nothing but the loading of it that default refuses (call %ld)", odd);
        ok(ask(agent, SYS_seccomp, 1, 0) == ALLOWED, "agent: a filter is loaded");
        ok(ask(agent, SYS_seccomp, 1, 8) == REFUSED(ENOSYS) &&
                   ask(agent, SYS_prctl, PR_SET_SECCOMP, 2) == REFUSED(ENOSYS),
           "agent: with no listener, and by no other way");
        ok(ask(agent, SYS_socket, AF_INET, 1) == ALLOWED &&
                   ask(agent, SYS_socket, AF_INET6, 1) != ALLOWED,
           "agent: sockets of UNIX and INET alone");
}

static void test_files(const Profile *files, const Profile *usual) {
        static const long never[] = { SYS_seccomp, SYS_socket, SYS_socketpair, SYS_connect,
                                      SYS_ioctl,   SYS_kill,   SYS_fchdir,     SYS_dup };
        long odd = wider(files, usual, -1);
        unsigned n = 0;

        ok(odd < 0, "files: nothing that default refuses (call %ld)", odd);
        for (unsigned i = 0; i < ELEMENTS(never); i++)
                n += ask(files, never[i], 1, 0) == REFUSED(ENOSYS);
        is_number((int) n, (int) ELEMENTS(never), "files: no socket, no filter, no signal");
}

static void test_both(const char *name, const Profile *profile) {
        const uint64_t by_fd[6] = { 5, 0, 0, 0, AT_EMPTY_PATH }, by_path[6] = { 5 };

        ok(answer(profile, SYS_execveat, by_fd) == ALLOWED &&
                   answer(profile, SYS_execveat, by_path) != ALLOWED &&
                   ask(profile, SYS_execve, 0, 0) != ALLOWED,
           "%s: a program is executed by its descriptor and no other", name);
        ok(ask(profile, SYS_clone, PLAIN_THREAD, 0) == ALLOWED &&
                   ask(profile, SYS_clone, 17, 0) != ALLOWED,
           "%s: threads, no processes", name);
        ok(ask(profile, SYS_setgroups, 0, 0) == ALLOWED &&
                   ask(profile, SYS_setgroups, 1, 0) != ALLOWED,
           "%s: groups are only given up", name);
}

static void test_budgets(const char *name, const Profile *profile, bool filters) {
        const uint32_t seccomp = filters ? ALLOWED : REFUSED(ENOSYS);

        ok(ask(profile, SYS_seccomp, 1, 0) == seccomp &&
                   ask(profile, SYS_prctl, PR_SET_SECCOMP, 2) ==
                           (filters ? ALLOWED : REFUSED(EINVAL)) &&
                   ask(profile, SYS_prctl, PR_GET_SECCOMP, 0) == ALLOWED,
           "%s: filters answer as where the kernel has none, or are let through", name);
        ok(ask(profile, SYS_io_setup, 1, 0) == REFUSED(ENOSYS) &&
                   ask(profile, SYS_io_submit, 1, 0) == REFUSED(ENOSYS),
           "%s: no asynchronous I/O of the old kind", name);
}

int main(void) {
        static Profile agent, files, usual, strict, debug;

        ok(load("agent", &agent) && load("files", &files) && load("default", &usual) &&
                   load("strict", &strict) && load("debug", &debug),
           "the shipped profiles load");
        test_agent(&agent, &usual);
        test_files(&files, &usual);
        test_both("agent", &agent);
        test_both("files", &files);
        test_budgets("default", &usual, false);
        test_budgets("strict", &strict, false);
        test_budgets("debug", &debug, true);
        return tap_end();
}
