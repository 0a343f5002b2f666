/*
 * played-jails: see played.h. A jail is two eventfds and a state, as sandbox/jail.h describes it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fds.h"
#include "sandbox/jail-slots.h"
#include "tests/fuzz/played.h"

#define ID_BASE 1879048192u

struct Jail {
        Jail *next;
        JailState state;
        int channel, pidfd, upper;
        uint32_t id_base, slots;
        uint64_t narrow; /* bit N: slot N is a narrow one */
        bool bad, keeps;
        unsigned reaps_left;
};

Played played;
static Jail *jails;

void played_must(bool good) {
        if (!good)
                abort();
}

bool played_fails(void) {
        return played.failures > 0 && played.failures--;
}

static void must_live(const Jail *jail) {
        const Jail *other = jails;

        while (other && other != jail)
                other = other->next;
        played_must(other != NULL);
}

const SandboxFacts *sandbox_facts(const Sandbox *sandbox) {
        static SandboxFacts facts;

        (void) sandbox;
        facts = (SandboxFacts){ .store_id = ID_BASE, .upper_map = played.upper_map };
        return &facts;
}

static int new_shell(uint32_t id_base, Jail **ret, Error *err) {
        Jail *jail;

        if (played_fails())
                return error_say(err, -EAGAIN, "no process for a shell");
        jail = calloc(1, sizeof(*jail));
        played_must(jail != NULL);
        *jail = (Jail){ .next = jails,
                        .channel = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                        .pidfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                        .upper = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC),
                        .id_base = id_base,
                        .slots = JAIL_SLOTS_FIRST };
        jails = *ret = jail;
        return 0;
}

int jail_new_shell(Sandbox *sandbox, Jail **ret, Error *err) {
        static uint32_t range;

        (void) sandbox;
        return new_shell(ID_BASE + JAIL_IDS * (1 + range++ % 1000), ret, err);
}

int jail_new_shell_like(Jail *other, Jail **ret, Error *err) {
        must_live(other);
        return new_shell(other->id_base, ret, err);
}

Jail *jail_free(Jail *jail) {
        Jail **at = &jails;

        if (!jail)
                return NULL;
        must_live(jail);
        while (*at != jail)
                at = &(*at)->next;
        *at = jail->next;
        fds_close((int[]){ jail->channel, jail->pidfd, jail->upper }, 3);
        free(jail);
        return NULL;
}

JailState jail_state(const Jail *jail) {
        must_live(jail);
        return jail->state;
}

int jail_channel(const Jail *jail) {
        must_live(jail);
        return jail->channel;
}

int jail_pidfd(const Jail *jail) {
        must_live(jail);
        return jail->pidfd;
}

uint32_t jail_id_base(const Jail *jail) {
        must_live(jail);
        return jail->id_base;
}

int jail_dispatch(Jail *jail, Error *err) {
        eventfd_t value;

        must_live(jail);
        (void) eventfd_read(jail->channel, &value);
        if (jail->bad) {
                (void) jail_kill(jail);
                return error_say(err, -EIO, "a stage of the jail failed");
        }
        if (jail->state == JAIL_SHELL_STARTING || jail->state == JAIL_BUILDING)
                jail->state++;
        return 0;
}

/* What a jail is made of, as far as a hostile front could have had a say in it. */
static void check_layer(const Plan *plan, uint32_t i, const JailLayer *layer) {
        bool changes = plan_layer_changes(plan, i);
        struct stat st;

        played_must(fstat(layer->fd, &st) == 0 && S_ISDIR(st.st_mode));
        played_must(layer->count == 1 || layer->count == JAIL_IDS);
        played_must((layer->count == 1) == (plan->layers[i].kind == LAYER_DIR));
        if (plan->layers[i].kind != LAYER_DIR) {
                played_must(layer->from_uid >= ID_BASE && layer->to_uid == 0);
                played_must(!changes || layer->from_uid == ID_BASE); /* a new layer */
                return;
        }
        played_must(layer->from_uid == st.st_uid && layer->to_uid == plan->uid);
        played_must(!changes || (layer->from_uid != 0 && layer->from_gid != 0));
        played_must(played_dir_allowed(layer->fd, changes));
}

int jail_build(Jail *jail, const Plan *plan, const JailLayer *layers, int filter_fd, Error *err) {
        const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
        struct stat st;
        uint32_t i;

        must_live(jail);
        played_must(jail->state == JAIL_SHELL && plan_check(plan, NULL) == 0);
        played_must((fcntl(filter_fd, F_GET_SEALS) & seals) == seals);
        played_must(fstat(filter_fd, &st) == 0 && st.st_size > 0 &&
                    (uint64_t) st.st_size <= BPF_MAXINSNS * sizeof(struct sock_filter));
        for (i = 0; i < plan->n_layers; i++)
                check_layer(plan, i, &layers[i]);
        if (played_fails())
                return error_say(err, -ENOSPC, "write a limit");
        jail->keeps = plan->flags & PLAN_KEEP_UPPER;
        jail->state = JAIL_BUILDING;
        return 0;
}

int jail_give_fds(Jail *jail, int *ret_fds, Error *err) {
        must_live(jail);
        played_must(jail->state == JAIL_RUNNING);
        if (played_fails())
                return error_say(err, -EMFILE, "no descriptor is left");
        for (unsigned i = 0; i < _JAIL_FD_MAX; i++)
                ret_fds[i] = -EBADF;
        ret_fds[JAIL_FD_INIT] = fcntl(jail->channel, F_DUPFD_CLOEXEC, 0);
        ret_fds[JAIL_FD_PIDFD] = fcntl(jail->pidfd, F_DUPFD_CLOEXEC, 0);
        return 0;
}

static int next_slot(Jail *jail, Error *err) {
        must_live(jail);
        played_must(jail->state == JAIL_RUNNING);
        if (jail->slots >= JAIL_SLOTS_MAX || played_fails())
                return error_say(err, -EMFILE, "the jail has enough command groups");
        return (int) jail->slots++;
}

int jail_slot(Jail *jail, uint32_t slot, const CommandLimits *limits, uint32_t *ret_slot,
              int *ret_fds, Error *err) {
        bool narrow = limits->memory_bytes || limits->pids;
        int r = narrow ? plan_check_command(limits, err) : 0;

        must_live(jail);
        played_must(jail->state == JAIL_RUNNING);
        if (r < 0)
                return r;
        if (slot != SLOT_ANY &&
            (!narrow || slot >= JAIL_SLOTS_MAX || !(jail->narrow & (1ull << slot))))
                return error_say(err, -ENOENT, "no such narrow slot");
        r = slot == SLOT_ANY ? next_slot(jail, err) : (int) slot;
        if (r < 0)
                return r;
        if (narrow)
                jail->narrow |= 1ull << r;
        *ret_slot = (uint32_t) r;
        for (unsigned i = 0; i < _SLOT_FD_NARROW_MAX; i++)
                ret_fds[i] = narrow ? i % 3 != 1 : i < _SLOT_FD_MAX;
        for (unsigned i = 0; i < _SLOT_FD_NARROW_MAX; i++)
                ret_fds[i] = ret_fds[i] ? fcntl(jail->pidfd, F_DUPFD_CLOEXEC, 0) : -EBADF;
        return 0;
}

int jail_upper_open(const Jail *jail, uint32_t view, Error *err) {
        must_live(jail);
        played_must(jail->state == JAIL_RUNNING || (jail->state >= JAIL_ENDING && jail->keeps));
        if (view != 0)
                return error_set(err, -ENOENT, "open an upper");
        return fcntl(jail->upper, F_DUPFD_CLOEXEC, 0);
}

int jail_kill(Jail *jail) {
        must_live(jail);
        if (jail->state < JAIL_ENDING) {
                jail->state = JAIL_ENDING;
                (void) eventfd_write(jail->pidfd, 1);
        }
        return 0;
}

uint32_t jail_oom_kills(const Jail *jail) {
        played_must(jail->state == JAIL_ENDED);
        return 1;
}

int jail_reap(Jail *jail, int *ret_status, Error *err) {
        must_live(jail);
        played_must(jail->state == JAIL_ENDING);
        if (jail->reaps_left > 0) {
                jail->reaps_left--;
                return error_say(err, -EAGAIN, "a group is not empty");
        }
        jail->state = JAIL_ENDED;
        *ret_status = 9;
        return 0;
}

bool played_jail_next(unsigned index, PlayedWay way) {
        Jail *jail = jails;
        unsigned n = played_jails();

        if (n == 0)
                return false;
        for (index = n - 1 - index % n; index > 0; index--)
                jail = jail->next;
        if (way == PLAYED_REPORT || way == PLAYED_FAIL) {
                jail->bad |= way == PLAYED_FAIL;
                (void) eventfd_write(jail->channel, 1);
        } else if (jail->state < JAIL_ENDED) {
                jail->reaps_left = way == PLAYED_SLOW_DEATH ? 2 : 0;
                (void) jail_kill(jail);
        }
        return true;
}

unsigned played_jails(void) {
        unsigned n = 0;

        for (const Jail *jail = jails; jail; jail = jail->next)
                n++;
        return n;
}
