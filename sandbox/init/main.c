/*
 * warder-init: process 1 of a jail, and (by the name "spawner") the process beside it that clones parked
 * children. Static, executed from a sealed memfd before the jail has its files; see stages.c for what came
 * before.
 *
 * Theory of operation. Init has an id that no command can take and no capability but SETUID, SETGID, KILL
 * inside the jail's user namespace. It first parks one child, tells the builder that the shell is ready,
 * and waits for the plan. The builder hands it the policy's filter while it makes the mounts, says BUILT
 * and ends; when init has reaped it, no process with the host's privilege is left, and the front is told
 * READY. From then on one loop: the front's requests, what children say, captured output, dead children.
 * The end of the front's socket is the end of the jail: when process 1 ends, the kernel kills the rest.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "sandbox/init/command.h"
#include "sandbox/init/ended.h"
#include "sandbox/init/etc.h"
#include "sandbox/init/init.h"
#include "sandbox/init/request.h"
#include "sandbox/init/slot.h"
#include "sandbox/init/spawner.h"

#define IDLE_NSEC 2000000 /* quiet for so long: park what is wanted */

void init_send(Init *init, InitEvent *event, const int *fds) {
        if (fds_send(init->front, event, sizeof(*event), fds, event->n_fds) < 0)
                _exit(0);
}

static void on_child(int signal) {
        (void) signal; /* it only has to end ppoll(2) */
}

/* ---- before the jail stands ----------------------------------------------------------------------- */

static void prepare(Init *init) {
        const struct sigaction action = { .sa_handler = on_child };
        sigset_t child;
        unsigned i;

        (void) umask(0);
        (void) sigemptyset(&child);
        (void) sigaddset(&child, SIGCHLD);
        if (prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
            sigprocmask(SIG_BLOCK, &child, NULL) < 0 || sigaction(SIGCHLD, &action, NULL) < 0 ||
            signal(SIGPIPE, SIG_IGN) == SIG_ERR)
                _exit(1);
        *init = (Init){ .front = INIT_FD_FRONT, .spawner = INIT_FD_SPAWNER, .filter = -EBADF };
        for (i = 0; i < JAIL_SLOTS_MAX; i++)
                init->slots[i] = (Slot){ .dir = -EBADF,
                                         .group = -EBADF,
                                         .events = -EBADF,
                                         .sock = -EBADF,
                                         .limits = { -EBADF, -EBADF },
                                         .command = { .streams = { CAPTURE_EMPTY, CAPTURE_EMPTY },
                                                      .keys = KEYS_EMPTY } };
        for (i = 0; i < JAIL_SLOTS_FIRST; i++)
                if (slot_add(init, i, INIT_FD_SLOTS + (int) i) < 0)
                        _exit(1);
        for (i = 3; i < _INIT_FD_MAX; i++)
                if (fcntl((int) i, F_SETFD, FD_CLOEXEC) < 0)
                        _exit(1);
}

/* The first child is parked before anybody asks for a jail; without one, shells are of no use. */
static void offer_shell(Init *init) {
        BootMessage boot = { .kind = BOOT_SHELL };
        struct pollfd word = { .events = POLLIN };
        Slot *slot = &init->slots[0];

        slot_park(init, slot);
        word.fd = slot->sock;
        while (slot->sock >= 0 && slot->pid == 0) {
                if (poll(&word, 1, -1) < 0 && errno != EINTR)
                        _exit(1);
                slot_word(init, slot);
        }
        if (slot->pid == 0 || fds_send(INIT_FD_BOOT, &boot, sizeof(boot), NULL, 0) < 0)
                _exit(1);
}

/*
 * A shell whose spawner or parked child was killed (the host was out of memory, say) ends now, and not when
 * somebody has asked for it.
 */
static void await_plan(const Init *init) {
        struct pollfd wait[] = { { .fd = INIT_FD_BOOT, .events = POLLIN },
                                 { .fd = init->spawner },
                                 { .fd = init->slots[0].sock } };

        while (poll(wait, ELEMENTS(wait), -1) < 0 || wait[0].revents == 0)
                if (wait[1].revents != 0 || wait[2].revents != 0)
                        _exit(1);
}

static BootMessage take_plan(Init *init) {
        BootMessage boot;
        int fds[FDS_MAX];
        unsigned n_fds;

        await_plan(init);
        if (fds_recv(INIT_FD_BOOT, &boot, sizeof(boot), fds, &n_fds) != sizeof(boot) ||
            boot.kind != BOOT_PLAN || n_fds != 1)
                _exit(1);
        init->filter = fds[0];
        init->flags = boot.flags;
        /*
         * The jail may stand, and its first command be ended again, before this: a child that was killed with
         * it needs no filter, and one that does not get it never runs.
         */
        (void) slot_filter(init, init->slots[0].sock);
        return boot;
}

static void wait_built(const BootMessage *plan) {
        BootMessage boot = { .kind = BOOT_ETC };
        int fds[FDS_MAX], status;
        unsigned n_fds;

        while (boot.kind != BOOT_BUILT) {
                if (fds_recv(INIT_FD_BOOT, &boot, sizeof(boot), fds, &n_fds) != sizeof(boot) ||
                    (boot.kind != BOOT_BUILT && boot.kind != BOOT_ETC))
                        _exit(1);
                if (boot.kind == BOOT_ETC)
                        etc_complete(plan);
        }
        while (waitpid(plan->builder, &status, 0) < 0)
                if (errno != EINTR)
                        _exit(1);
        (void) close(INIT_FD_BOOT);
}

static void drop_files_caps(const Init *init) {
        const ParkRequest request = { .kind = PARK_NO_FILES };

        if (init->flags & PLAN_FILES_CAPS)
                return;
        if (fds_send(init->spawner, &request, sizeof(request), NULL, 0) < 0 ||
            caps_keep(INIT_CAPS) < 0)
                _exit(INIT_GAVE_UP);
}

/* ---- the loop ------------------------------------------------------------------------------------- */

#define POLL_MAX    (2 + 4 * JAIL_SLOTS_MAX)
#define STREAM_KEYS 2 /* after the two captured ones */

typedef struct Watch { /* what each entry of the poll set stands for */
        struct pollfd polls[POLL_MAX];
        Slot *slots[POLL_MAX];
        int streams[POLL_MAX]; /* -1: the child's socket; STREAM_KEYS: what is typed */
        unsigned n;
} Watch;

static void watch(Watch *set, int fd, Slot *slot, int stream) {
        if (fd < 0)
                return;
        set->polls[set->n] = (struct pollfd){ .fd = fd, .events = POLLIN };
        set->slots[set->n] = slot;
        set->streams[set->n++] = stream;
}

static void watch_stream(Watch *set, Slot *slot, int stream) {
        short events = POLLIN;
        int fd = -EBADF;

        capture_wait(&slot->command.streams[stream], &fd, &events);
        watch(set, fd, slot, stream);
        if (fd >= 0)
                set->polls[set->n - 1].events = events;
}

static void watch_keys(Watch *set, Slot *slot) {
        short events = POLLIN;
        int fd = -EBADF;

        keys_wait(&slot->command.keys, slot->command.streams[0].fd, &fd, &events);
        watch(set, fd, slot, STREAM_KEYS);
        if (fd >= 0)
                set->polls[set->n - 1].events = events;
}

/* When to park the next child. */
typedef enum Parking {
        PARK_NONE, /* no slot wants one */
        PARK_IDLE, /* when nothing has happened for a while: most jails have one command only */
        PARK_SOON, /* this one has had more: as soon as nothing is being started */
} Parking;

static Parking fill(Init *init, Watch *set) {
        bool wanted = false, starting = false;
        unsigned i;

        set->n = 0;
        watch(set, init->front, NULL, -1);
        watch(set, init->spawner, NULL, -1);
        for (i = 0; i < JAIL_SLOTS_MAX; i++) {
                Slot *slot = &init->slots[i];

                if (slot->dir < 0)
                        continue;
                wanted |= slot->want;
                starting |= slot->command.state == COMMAND_STARTING;
                watch(set, slot->sock, slot, -1);
                if (slot->command.state == COMMAND_NONE || slot->command.output_stopped)
                        continue;
                watch_stream(set, slot, 0);
                watch_stream(set, slot, 1);
                watch_keys(set, slot);
        }
        if (!wanted)
                return PARK_NONE;
        return init->clock > 1 && !starting ? PARK_SOON : PARK_IDLE;
}

/* What was closed since ppoll(2) is -EBADF in its slot; nothing was opened since. A stream that waited for a reader is read in the next round. */
static void dispatch(Init *init, Watch *set) {
        unsigned i;

        if (set->polls[1].revents)
                _exit(INIT_GAVE_UP); /* the spawner never speaks: it is dead */
        for (i = 2; i < set->n; i++) {
                if (!set->polls[i].revents)
                        continue;
                if (set->streams[i] < 0)
                        slot_word(init, set->slots[i]);
                else if (set->streams[i] == STREAM_KEYS)
                        keys_step(&set->slots[i]->command.keys,
                                  set->slots[i]->command.streams[0].fd);
                else if (set->slots[i]->command.streams[set->streams[i]].fd == set->polls[i].fd)
                        slot_output(init, set->slots[i], (unsigned) set->streams[i]);
        }
        if (set->polls[0].revents)
                request_take(init);
}

_Noreturn static void run(Init *init) {
        static Watch set;
        const struct timespec waits[] = {
                [PARK_IDLE] = { .tv_nsec = IDLE_NSEC }, [PARK_SOON] = { 0 }
        };
        sigset_t none;

        (void) sigemptyset(&none);
        for (;;) {
                Parking parking = fill(init, &set);
                int r = ppoll(set.polls, set.n, parking ? &waits[parking] : NULL, &none);

                /* the dead first: they count against the pids limit of the next command */
                reap_all(init);
                if (r > 0)
                        dispatch(init, &set);
                else if (r == 0)
                        park_idle(init);
        }
}

int main(int argc, char **argv) {
        static Init init;
        InitEvent ready = { .kind = INIT_READY };
        BootMessage plan;

        (void) prctl(PR_SET_NAME, argc > 0 ? argv[0] : "init");
        if (argc > 0 && strcmp(argv[0], "warder-spawner") == 0)
                spawner_run(INIT_FD_FRONT);
        prepare(&init);
        offer_shell(&init);
        plan = take_plan(&init);
        wait_built(&plan);
        drop_files_caps(&init);
        init.null = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (init.null < 0 || chdir("/") < 0)
                _exit(1);
        if (init.flags & BOOT_DISK) /* what it holds is older than the jail */
                init.disk_full = upper_full(&init);
        init_send(&init, &ready, NULL);
        run(&init);
}
