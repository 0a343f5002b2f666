/*
 * What goes wrong: a monitor killed outright, two of one name, a build that fails half way, a shell that
 * nobody wants, jails beyond the pool. Nothing may be left.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "tests/jail/rig.h"
#include "tests/tap.h"

static Rig rig;

static int count_groups(void) {
        char command[256];

        (void) snprintf(command, sizeof(command),
                        "exit $(find /sys/fs/cgroup -path '*warder-%s/*' -type d | wc -l)",
                        rig.instance);
        return WEXITSTATUS(system(command));
}

static int count_mounts(void) {
        return WEXITSTATUS(system("exit $(grep -c warder-rig /proc/self/mounts)"));
}

/* As a monitor: a running jail, a shell that stands, one that is being made; then waits to be killed. */
_Noreturn static void doomed_monitor(int ready) {
        Plan plan = rig_plan();
        Error err;
        Rig own = rig;
        Cage cage;
        Jail *shell;

        rig_start(&own);
        cage = cage_host(&own, &plan);
        (void) cage_send(&cage,
                         &(Command){ .argv = (const char *const[]){ "sleep", "600", NULL } });
        (void) jail_new_shell(own.sandbox, &shell, &err);
        (void) jail_new_shell(own.sandbox, &shell, &err);
        if (write(ready, "r", 1) != 1)
                _exit(1);
        for (;;)
                (void) pause();
}

static void test_killed_monitor(void) {
        int ready[2], status;
        Error err = ERROR_EMPTY;
        char byte;
        pid_t pid;

        rig.sandbox = sandbox_free(rig.sandbox);
        is_number(pipe(ready), 0, "a pipe");
        pid = fork();
        if (pid == 0)
                doomed_monitor(ready[1]);
        (void) close(ready[1]);
        is_number(read(ready[0], &byte, 1), 1, "a monitor with a jail and shells");
        ok(rig_try(&rig, &err) < 0, "a second one of its name is refused");
        has_text(err.text, "running already", "by name");
        (void) kill(pid, SIGKILL);
        (void) waitpid(pid, &status, 0);
        ok(count_groups() > 0, "killed, it leaves groups");
        is_number(rig_try(&rig, &err), 0, "the next start");
        is_number(count_groups(), 0, "removes them");
        is_number(count_mounts(), 0, "no mount is left");
        (void) close(ready[0]);
}

static void test_failed_build(void) {
        Plan plan = rig_plan();
        Error err = ERROR_EMPTY;
        JailLayer layer = rig_layer(&rig, "skeleton"), bad = layer;
        Cage cage;

        bad.count = JAIL_IDS + 1;
        ok(cage_try(&rig, &plan, &bad, &cage, &err) < 0, "ids that do not fit");
        bad = layer;
        bad.fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
        ok(cage_try(&rig, &plan, &bad, &cage, &err) < 0, "a layer that cannot be mapped");
        has_text(err.text, "cannot be shown with other owners", "is named");
        (void) close(bad.fd);
        plan.views[0] = (PlanView){ VIEW_ROOT, 0, 0, 1 };
        plan.views[1] = (PlanView){ VIEW_WORK, VIEW_WRITABLE, 0, 1 };
        plan.n_views = 2;
        plan.limits.disk_bytes = 4096;
        plan.limits.inodes = 8;
        ok(cage_try(&rig, &plan, &layer, &cage, &err) < 0, "an upper without room for a view");
        printf("# %s\n", err.text);
        is_number(count_groups(), 0, "no group is left of any");
        (void) close(layer.fd);
}

static void test_shells(void) {
        Jail *shells[8];
        struct pollfd channel = { .events = POLLIN };
        Error err = ERROR_EMPTY;
        unsigned i, n = 0;

        for (i = 0; i < 8; i++)
                is_number(jail_new_shell(rig.sandbox, &shells[i], &err), 0, "a shell of eight");
        for (i = 0; i < 4; i++)
                while (jail_state(shells[i]) == JAIL_SHELL_STARTING) {
                        channel.fd = jail_channel(shells[i]);
                        if (poll(&channel, 1, WAIT_MSEC) != 1 || jail_dispatch(shells[i], &err) < 0)
                                break;
                }
        for (i = 0; i < 4; i++)
                n += jail_state(shells[i]) == JAIL_SHELL;
        is_number(n, 4, "four stand at once");
        for (i = 0; i < 8; i++)
                shells[i] = jail_free(shells[i]);
        is_number(count_groups(), 0, "ended in any state, they leave nothing");
}

static void test_pool(void) {
        static Jail *jails[64];
        Error err = ERROR_EMPTY;
        unsigned n = 0, i;

        while (n < 64 && jail_new_shell(rig.sandbox, &jails[n], &err) == 0)
                n++;
        is_number(n, 63, "as many as the pool has ranges, but the store's");
        has_text(err.text, "in use", "the next one is told why");
        for (i = 0; i < n; i++)
                jails[i] = jail_free(jails[i]);
        is_number(jail_new_shell(rig.sandbox, &jails[0], &err), 0, "ranges come back");
        jails[0] = jail_free(jails[0]);
}

/* Whatever kills a process of the jail that it cannot do without ends the jail as a whole. */
static void test_lost_front(void) {
        Plan plan = rig_plan();
        Cage cage = cage_host(&rig, &plan);
        struct pollfd dead = { .fd = jail_pidfd(cage.jail), .events = POLLIN };
        int status = 0;

        is_number(write(cage.fds[JAIL_FD_KILL], "1", 1), 1,
                  "the front kills the jail by its group");
        is_number(poll(&dead, 1, WAIT_MSEC), 1, "init is dead");
        while (jail_reap(cage.jail, &status, NULL) == -EAGAIN)
                usleep(1000);
        is_number(WTERMSIG(status), SIGKILL, "its status is there");
        is_number(jail_state(cage.jail), JAIL_ENDED, "and nothing is left");
        cage_end(&cage);
}

/* The rig's own filter allows all, as a hostile front's could: what the floor refuses is refused all the same. */
static void test_allow_all(void) {
        Plan plan = rig_plan();
        Cage cage = cage_host(&rig, &plan);
        Outcome outcome = cage_shell(&cage, "unshare -U true");

        is_number(system("unshare -U true"), 0, "a user namespace can be made outside");
        ok(outcome.started && outcome.end.code != 0, "with an allow-all filter not in a jail");
        has_text(outcome.err, "not permitted", "by the floor");
        outcome_free(&outcome);
        cage_end(&cage);
}

/* Filters that the kernel does not take: the jail has no command then, and none without a filter. */
static void test_malformed_filters(void) {
        static const struct {
                const char *name;
                struct sock_filter code[2];
                unsigned n;
        } rows[] = {
                { "an unknown instruction", { { 0xffff, 0, 0, 0 } }, 1 },
                { "a jump behind the end",
                  { BPF_JUMP(BPF_JMP | BPF_JA, 100, 0, 0), BPF_STMT(BPF_RET | BPF_K, 0) },
                  2 },
                { "no return", { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0) }, 1 },
                { "a load behind the data",
                  { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4096), BPF_STMT(BPF_RET | BPF_K, 0) },
                  2 },
                { "one that kills all",
                  { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS) },
                  1 },
        };
        int good = rig.filter;

        for (unsigned i = 0; i < ELEMENTS(rows); i++) {
                Plan plan = rig_plan();
                Error err = ERROR_EMPTY;
                JailLayer layer = rig_layer(&rig, "skeleton");
                Outcome outcome = { .started = false };
                Cage cage;
                int r;

                rig.filter = memfd_sealed("filter", rows[i].code, rows[i].n * sizeof(*rows[i].code),
                                          false, &err);
                r = cage_try(&rig, &plan, &layer, &cage, &err);
                if (r == 0) {
                        outcome = cage_shell(&cage, "true");
                        outcome_free(&outcome);
                        cage_end(&cage);
                }
                ok(r < 0 || !outcome.started, "%s as filter: no command starts", rows[i].name);
                (void) close(rig.filter);
                (void) close(layer.fd);
        }
        rig.filter = good;
        is_number(count_groups(), 0, "and no group is left");
}

int main(void) {
        if (geteuid() != 0) {
                tap_skip_all("root");
                return tap_end();
        }
        rig_start(&rig);
        test_killed_monitor();
        test_failed_build();
        test_shells();
        test_pool();
        test_lost_front();
        test_allow_all();
        test_malformed_filters();
        rig_end(&rig);
        return tap_end();
}
