/*
 * rig: see rig.h.
 */
#include "tests/jail/rig.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fds.h"
#include "base/owned.h"
#include "sandbox/jail-slots.h"

_Noreturn static void bail(const char *what, const Error *err) {
        printf("Bail out! %s: %s\n", what, err ? err->text : strerror(errno));
        exit(1);
}

static int open_below(const Rig *rig, const char *name) {
        char path[128];

        (void) snprintf(path, sizeof(path), "%s/%s", rig->dir, name);
        (void) mkdir(path, 0700);
        return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int rig_try(Rig *rig, Error *err) {
        const char *build = getenv("top_builddir");
        SandboxConfig config = { .instance = rig->instance,
                                 .store_fd = rig->store,
                                 .ids_fd = rig->ids,
                                 .id_base = RIG_ID_BASE,
                                 .id_ranges = 64 };
        char path[512];
        int r;

        (void) snprintf(path, sizeof(path), "%s/sandbox/init/warder-init", build ? build : ".");
        config.init_fd = open(path, O_RDONLY | O_CLOEXEC);
        if (config.init_fd < 0)
                bail(path, NULL);
        r = sandbox_new(&config, &rig->sandbox, err);
        (void) close(config.init_fd);
        return r;
}

/* What rigs left that were broken off. */
static void sweep(void) {
        const char *source = getenv("top_srcdir");
        char command[512];

        (void) snprintf(command, sizeof(command), "sh '%s/tests/sweep' rig-",
                        source ? source : ".");
        if (system(command) != 0)
                printf("# leftovers of earlier rigs were not swept\n");
}

void rig_start(Rig *rig) {
        const struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
        Error err = ERROR_EMPTY;

        if (!rig->dir[0]) {
                (void) snprintf(rig->dir, sizeof(rig->dir), "/tmp/warder-rig-XXXXXX");
                if (!mkdtemp(rig->dir))
                        bail("temporary directory", NULL);
        }
        if (!rig->instance[0])
                sweep();
        if (!rig->instance[0])
                (void) snprintf(rig->instance, sizeof(rig->instance), "rig-%d", getpid());
        rig->store = open_below(rig, "store");
        rig->ids = open_below(rig, "ids");
        rig->filter = memfd_sealed("filter", &allow, sizeof(allow), false, &err);
        if (rig->store < 0 || rig->ids < 0 || rig->filter < 0)
                bail("a rig's directories", NULL);
        if (rig_try(rig, &err) < 0)
                bail("sandbox", &err);
}

void rig_end(Rig *rig) {
        char command[128];

        rig->sandbox = sandbox_free(rig->sandbox);
        (void) close(rig->store);
        (void) close(rig->ids);
        (void) close(rig->filter);
        (void) snprintf(command, sizeof(command), "rm -rf %s", rig->dir);
        if (system(command) != 0)
                printf("# %s could not be removed\n", rig->dir);
}

Plan rig_plan(void) {
        return (Plan){ .version = PLAN_VERSION,
                       .flags = PLAN_HOST_ROOT,
                       .uid = JAIL_USER_ID,
                       .gid = JAIL_USER_ID,
                       .n_layers = 1,
                       .n_views = 1,
                       .n_fds = 1,
                       .limits = { .memory_bytes = 128u << 20,
                                   .disk_bytes = 16u << 20,
                                   .inodes = 2000,
                                   .pids = 64,
                                   .cpu_permille = 2000 },
                       .hostname = "cage",
                       .views = { { .target = VIEW_ROOT, .first = 0, .n = 1 } },
                       .layers = { { .kind = LAYER_SKELETON } } };
}

/* Dispatches until the jail is in @state. */
static int await_state(Jail *jail, JailState state, Error *err) {
        struct pollfd channel = { .events = POLLIN };
        int r = 0;

        while (r == 0 && jail_state(jail) != state) {
                channel.fd = jail_channel(jail);
                if (poll(&channel, 1, WAIT_MSEC) != 1)
                        return error_say(err, -ETIMEDOUT, "state %u was not reached", state);
                r = jail_dispatch(jail, err);
        }
        return r;
}

int cage_try(Rig *rig, const Plan *plan, const JailLayer *layers, Cage *ret_cage, Error *err) {
        Cage cage = { .next_id = 1 };
        InitEvent ready;
        int fds[FDS_MAX];
        int r = jail_new_shell(rig->sandbox, &cage.jail, err);

        if (r < 0)
                return r;
        r = await_state(cage.jail, JAIL_SHELL, err);
        if (r == 0)
                r = jail_build(cage.jail, plan, layers, rig->filter, err);
        if (r == 0)
                r = await_state(cage.jail, JAIL_RUNNING, err);
        if (r == 0)
                r = jail_give_fds(cage.jail, cage.fds, err);
        if (r == 0)
                r = cage_event(&cage, &ready, fds);
        if (r == 0 && ready.kind != INIT_READY)
                r = error_say(err, -EPROTO, "init's first event is %u", ready.kind);
        if (r < 0) {
                cage.jail = jail_free(cage.jail);
                return r;
        }
        *ret_cage = cage;
        return 0;
}

JailLayer rig_layer(const Rig *rig, const char *name) {
        JailLayer layer = {
                .from_uid = RIG_ID_BASE, .from_gid = RIG_ID_BASE, .count = JAIL_IDS, .space = -EBADF
        };

        layer.fd = openat(rig->store, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (layer.fd < 0)
                bail(name, NULL);
        return layer;
}

Cage cage_host(Rig *rig, const Plan *plan) {
        Error err = ERROR_EMPTY;
        JailLayer layer = rig_layer(rig, "skeleton");
        Cage cage;

        if (cage_try(rig, plan, &layer, &cage, &err) < 0)
                bail("host-root jail", &err);
        (void) close(layer.fd);
        return cage;
}

void cage_end(Cage *cage) {
        fds_close(cage->fds, _JAIL_FD_MAX);
        cage->jail = jail_free(cage->jail);
}

static void put_word(Buf *buf, const char *word) {
        (void) buf_append(buf, word, strlen(word) + 1);
}

uint64_t cage_send(Cage *cage, const Command *command) {
        static const char *const plain[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
        const char *const *envp = command->envp ? command->envp : plain;
        InitExec exec = { .head = { .kind = INIT_EXEC, .id = cage->next_id++ },
                          .slot = command->slot,
                          .flags = command->flags,
                          .uid = command->uid,
                          .gid = command->uid,
                          .stdio = { STDIO_NULL, STDIO_CAPTURE,
                                     command->merge ? STDIO_MERGE : STDIO_CAPTURE },
                          .umask = 022,
                          .keep = command->keep ? command->keep : 65536,
                          .output_max = command->output_max ? command->output_max : 1 << 20,
                          .nofile = 1024,
                          .fsize = 1u << 30,
                          .stack = 8u << 20 };
        Buf blob = BUF_EMPTY(INIT_BLOB_MAX), message = BUF_EMPTY(INIT_BLOB_MAX + sizeof(exec));
        int fds[4];
        unsigned n_fds = 0, i;

        put_word(&blob, command->cwd ? command->cwd : "/");
        for (; command->argv[exec.argc]; exec.argc++)
                put_word(&blob, command->argv[exec.argc]);
        for (; envp[exec.envc]; exec.envc++)
                put_word(&blob, envp[exec.envc]);
        exec.head.blob = (uint32_t) blob.len;
        for (i = 0; command->stdio && i < 3; i++) {
                exec.stdio[i] = STDIO_FD;
                fds[n_fds++] = command->stdio[i];
        }
        if (command->flags & INIT_EXEC_BINARY_FD)
                fds[n_fds++] = command->binary;
        (void) buf_append(&message, &exec, sizeof(exec));
        (void) buf_append(&message, blob.data, blob.len);
        if (fds_send(cage->fds[JAIL_FD_INIT], message.data, message.len, fds, n_fds) < 0)
                bail("send to init", NULL);
        buf_deinit(&blob);
        buf_deinit(&message);
        return exec.head.id;
}

int cage_event(Cage *cage, InitEvent *event, int *fds) {
        struct pollfd init = { .fd = cage->fds[JAIL_FD_INIT], .events = POLLIN };
        unsigned n_fds;
        ssize_t n;

        do { /* what children say of themselves is for a front that reads audit records */
                n_fds = 0;
                if (poll(&init, 1, WAIT_MSEC) != 1)
                        return -ETIMEDOUT;
                n = fds_recv(init.fd, event, sizeof(*event), fds, &n_fds);
        } while (n == (ssize_t) sizeof(*event) && event->kind == INIT_PARKED);
        return n == (ssize_t) sizeof(*event) && n_fds == event->n_fds ? 0 : -EPROTO;
}

static char *take_text(int fd) {
        char *text = NULL;
        size_t n;

        (void) fd_read_all(fd, 8u << 20, &text, &n);
        (void) close(fd);
        return text;
}

Outcome cage_wait(Cage *cage, uint64_t id) {
        Outcome outcome = { .started = false };
        int fds[FDS_MAX];
        InitEvent event;

        for (;;) {
                if (cage_event(cage, &event, fds) < 0)
                        bail("no event of init", NULL);
                outcome.started |= event.kind == INIT_STARTED && event.id == id;
                outcome.limited |= event.kind == INIT_OUTPUT_LIMIT && event.id == id;
                if (event.kind == INIT_ENDED && event.id == id)
                        break;
        }
        outcome.end = event;
        outcome.out = event.n_fds > 0 ? take_text(fds[0]) : NULL;
        outcome.err = event.n_fds > 1 ? take_text(fds[1]) : NULL;
        return outcome;
}

Outcome cage_run(Cage *cage, const Command *command) {
        return cage_wait(cage, cage_send(cage, command));
}

Outcome cage_shell(Cage *cage, const char *script) {
        const char *const argv[] = { "sh", "-c", script, NULL };
        const Command command = { .argv = argv, .uid = JAIL_USER_ID, .slot = cage->slot };

        cage->slot ^= 1;
        return cage_run(cage, &command);
}

void outcome_free(Outcome *outcome) {
        free(outcome->out);
        free(outcome->err);
        outcome->out = outcome->err = NULL;
}
