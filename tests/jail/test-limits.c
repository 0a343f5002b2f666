/*
 * Narrow slots through the library: what the monitor refuses, what a front can do with what it gets, and
 * that a command in one is counted there and nowhere else.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fds.h"
#include "sandbox/jail-slots.h"
#include "tests/jail/rig.h"
#include "tests/tap.h"

#define MB (1ull << 20)

static Rig rig;
static Cage cage;

static int narrow(uint32_t slot, uint64_t memory, uint32_t pids, uint32_t *ret_slot, int *fds) {
        const CommandLimits limits = { .memory_bytes = memory, .pids = pids };
        Error err = ERROR_EMPTY;

        return jail_slot(cage.jail, slot, &limits, ret_slot, fds, &err);
}

static void test_refused(void) {
        int fds[_SLOT_FD_NARROW_MAX];
        uint32_t slot = 1234;

        is_number(narrow(0, 0, 0, &slot, fds), -EINVAL, "a used slot without a limit is refused");
        is_number(narrow(SLOT_ANY, MB, 0, &slot, fds), -EINVAL, "too little memory");
        is_number(narrow(SLOT_ANY, UINT64_MAX, 0, &slot, fds), -EINVAL, "too much");
        is_number(narrow(SLOT_ANY, 0, 1u << 20, &slot, fds), -EINVAL, "too many processes");
        is_number(narrow(0, 8 * MB, 0, &slot, fds), -ENOENT, "a slot that is not narrow");
        is_number(narrow(40, 8 * MB, 0, &slot, fds), -ENOENT, "one that is not there");
        is_number(narrow(64, 8 * MB, 0, &slot, fds), -ENOENT, "one beyond the last");
        is_number(slot, 1234, "none of them gave out anything");
}

/* As the front sees it: another id, the descriptors of the reply, nothing else. */
static int as_front(int dir) {
        static const char *const files[] = { "cgroup.procs", "tasks",    "memory.limit_in_bytes",
                                             "memory.max",   "pids.max", "cgroup.subtree_control" };
        pid_t pid = fork();
        int status;
        unsigned i;

        if (pid == 0) {
                struct stat here, above;

                if (setgroups(0, NULL) < 0 || setgid(4242) < 0 || setuid(4242) < 0)
                        _exit(1);
                for (i = 0; i < sizeof(files) / sizeof(*files); i++)
                        if (openat(dir, files[i], O_WRONLY) >= 0)
                                _exit(2);
                if (mkdirat(dir, "below", 0755) == 0)
                        _exit(3);
                if (fstatat(dir, ".", &here, 0) < 0 || fstatat(dir, "..", &above, 0) < 0 ||
                    here.st_ino != above.st_ino)
                        _exit(4);
                _exit(0);
        }
        return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void introduce(uint32_t slot, int *fds) {
        InitSlot request = { .head = { INIT_SLOT, 0, cage.next_id++ }, .slot = slot, .narrow = 1 };
        static const unsigned for_init[] = { SLOT_FD_DIR, SLOT_FD_MEMORY_DIR, SLOT_FD_PIDS_DIR };
        InitEvent event;
        int dirs[3], got[8];
        unsigned n = 0, i;

        for (i = 0; i < 3; i++)
                if (fds[for_init[i]] >= 0)
                        dirs[n++] = fds[for_init[i]];
        ok(fds_send(cage.fds[JAIL_FD_INIT], &request, sizeof(request), dirs, n) > 0 &&
                   cage_event(&cage, &event, got) == 0 && event.kind == INIT_DONE &&
                   event.code == 0,
           "init takes the slot");
}

static uint64_t keyed(int fd, const char *key) {
        uint64_t value = 0;

        is_number(fd_read_keyed(fd, key, &value), 0, "the counter can be read");
        return value;
}

static Outcome run_in(uint32_t slot, const char *script) {
        const char *const argv[] = { "sh", "-c", script, NULL };
        const Command command = { .argv = argv, .uid = JAIL_USER_ID, .slot = slot };

        return cage_run(&cage, &command);
}

static void test_narrow(void) {
        int fds[_SLOT_FD_NARROW_MAX], again[_SLOT_FD_NARROW_MAX];
        uint64_t jail_before = keyed(cage.fds[JAIL_FD_PIDS_EVENTS], "max");
        uint32_t slot = 0, same = 0;
        Outcome outcome;

        is_number(narrow(SLOT_ANY, 16 * MB, 4, &slot, fds), 0, "a narrow slot is made");
        is_number(slot, JAIL_SLOTS_FIRST, "after those of the shell");
        is_number(as_front(fds[SLOT_FD_DIR]), 0, "a front can do nothing with its directory");
        if (fds[SLOT_FD_MEMORY_DIR] >= 0) {
                is_number(as_front(fds[SLOT_FD_MEMORY_DIR]), 0, "nor with that of its memory");
                is_number(as_front(fds[SLOT_FD_PIDS_DIR]), 0, "nor with that of its processes");
        }
        introduce(slot, fds);

        outcome = run_in(slot, "head -c 40M /dev/zero | tail -c 39M | wc -c; exit 7");
        ok(outcome.started && (outcome.end.code == 7 || outcome.end.signal == SIGKILL),
           "a command runs in it (and on v2 ends whole)");
        ok(keyed(fds[SLOT_FD_OOM], "oom_kill") > 0, "and runs out of the slot's memory");
        outcome_free(&outcome);
        outcome = run_in(slot, "for i in 1 2 3 4 5 6; do sleep 60 & done");
        ok(keyed(fds[SLOT_FD_PIDS_EVENTS], "max") > 0, "and of its processes");
        outcome_free(&outcome);
        is_number(narrow(slot, 8 * MB, 0, &same, again), -EBUSY,
                  "in use it is not given out again");
        ok(write(fds[SLOT_FD_KILL], "1", 1) == 1, "its kill file ends what is left");
        for (int i = 0; i < WAIT_MSEC && keyed(fds[SLOT_FD_EVENTS], "populated"); i++)
                usleep(1000);

        outcome = run_in(0, "for i in 1 2 3 4 5 6; do sleep 0.1 & done; wait; exit 3");
        is_number(outcome.end.code, 3, "a command beside it has the jail's limits");
        outcome_free(&outcome);
        ok(keyed(cage.fds[JAIL_FD_PIDS_EVENTS], "max") >= jail_before,
           "whose counter is another one");

        is_number(narrow(slot, 32 * MB, 0, &same, again), 0, "when it is empty it is");
        is_number(same, slot, "by the same number");
        introduce(slot, again);
        outcome = run_in(slot, "for i in 1 2 3 4 5 6; do sleep 0.1 & done; wait; exit 5");
        is_number(outcome.end.code, 5, "with the limits of its next command");
        outcome_free(&outcome);
        fds_close(fds, _SLOT_FD_NARROW_MAX);
        fds_close(again, _SLOT_FD_NARROW_MAX);
}

static void test_many(void) {
        int fds[_SLOT_FD_NARROW_MAX];
        uint32_t slot;
        unsigned n;
        int r;

        for (n = 0; (r = narrow(SLOT_ANY, 8 * MB, 0, &slot, fds)) == 0; n++)
                fds_close(fds, _SLOT_FD_NARROW_MAX);
        is_number(r, -EMFILE, "there is an end to them");
        is_number(n, JAIL_SLOTS_MAX - JAIL_SLOTS_FIRST - 1, "at the most a jail may have");
}

/* Asked for and not to be had: the create fails, and says what. */
static void test_missing(void) {
        Plan plan = rig_plan();
        JailLayer layer = rig_layer(&rig, "skeleton");
        Error err = ERROR_EMPTY;
        Cage other;

        plan.limits.cpus[PLAN_CPU_WORDS - 1] = 1ull << 63;
        is_number(plan_check(&plan, &err), 0, "processor 1023 is a processor");
        ok(cage_try(&rig, &plan, &layer, &other, &err) < 0, "a jail for it is not made");
        ok(strstr(err.text, "1023") || strstr(err.text, "cpuset"), "and the reason names it");
        (void) close(layer.fd);
}

int main(void) {
        Plan plan;

        rig_start(&rig);
        plan = rig_plan();
        cage = cage_host(&rig, &plan);
        test_refused();
        test_narrow();
        test_many();
        test_missing();
        cage_end(&cage);
        rig_end(&rig);
        return tap_end();
}
