/*
 * jail-facts: see jail-facts.h.
 */
#include "supervisor/front/jails/jail-facts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fds.h"
#include "base/ids.h"
#include "base/owned.h"
#include "base/units.h"
#include "supervisor/front/commands/commands.h"

static const char *const state_names[] = { "making", "ready", "ending" };
_Static_assert(ELEMENTS(state_names) == _FRONT_JAIL_STATE_MAX, "a name for each state");

DirId jail_dir_id(int fd) {
        struct statx st;

        if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, &st) < 0)
                return (DirId){ 0 };
        return (DirId){ st.stx_dev_major, st.stx_dev_minor, st.stx_ino };
}

const char *jail_state_name(FrontJailState state) {
        return state_names[state];
}

FrontJail *front_jail_find(Front *front, const char *id, uint32_t uid) {
        HandleLink *link = NULL;
        FrontJail *jail;
        uint64_t number;

        if (id_number('j', id, &number) == 0)
                link = handles_find(&front->jails_by_id, number);
        jail = link ? container_of(link, FrontJail, by_id) : NULL;
        return jail && (uid == 0 || jail->owner_uid == uid) ? jail : NULL;
}

FrontJail *front_jail_by_handle(Front *front, uint64_t handle) {
        HandleLink *link = handles_find(&front->jails_by_handle, handle);
        FrontJail *jail = link ? container_of(link, FrontJail, by_handle) : NULL;

        return jail && jail->state == FRONT_JAIL_READY ? jail : NULL;
}

const char *front_jail_id(const FrontJail *jail) {
        return jail->id;
}

FrontJailState front_jail_state(const FrontJail *jail) {
        return jail->state;
}

uint64_t front_jail_handle(const FrontJail *jail) {
        return jail->handle;
}

const JailLimits *front_jail_limits(const FrontJail *jail) {
        return &jail->limits;
}

const Plan *front_jail_plan(const FrontJail *jail) {
        return &jail->plan;
}

bool front_jail_is_listed(const FrontJail *jail) {
        return jail->listed;
}

uint32_t front_jail_owner(const FrontJail *jail) {
        return jail->owner_uid;
}

FrontJail *front_jail_next(const FrontJail *jail) {
        return jail->next;
}

const cJSON *front_jail_image(const FrontJail *jail) {
        return jail->image;
}

const char *const *front_jail_environment(const FrontJail *jail) {
        return jail->environment ? (const char *const *) jail->environment : command_environment;
}

const char *front_jail_policy(const FrontJail *jail) {
        return jail->policy;
}

const PolicyUse *front_jail_use(const FrontJail *jail) {
        return &jail->use;
}

const char *front_jail_snapshot(const FrontJail *jail) {
        return jail->snapshot;
}

bool front_jail_shows(const FrontJail *jail, int fd) {
        DirId id = jail_dir_id(fd);

        return id.ino != 0 && id.ino == jail->dir.ino && id.major == jail->dir.major &&
               id.minor == jail->dir.minor;
}

Front *front_jail_front(const FrontJail *jail) {
        return jail->front;
}

InitLink *front_jail_init(const FrontJail *jail) {
        return jail->init;
}

Slots *front_jail_slots(const FrontJail *jail) {
        return jail->slots;
}

uint64_t front_jail_oom_kills(const FrontJail *jail) {
        return jail->oom_kills;
}

bool front_jail_gave_up(const FrontJail *jail) {
        return jail->gave_up;
}

int front_jail_fd(const FrontJail *jail, JailFd which) {
        return jail->fds[which];
}

int front_jail_group_open(const FrontJail *jail, const char *file) {
        int fd = openat(jail->fds[JAIL_FD_COMMANDS], file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

        return fd < 0 ? -errno : fd;
}

int front_jail_cpu_usec(const FrontJail *jail, uint64_t *ret_usec) {
        autoclose int fd = front_jail_group_open(jail, "cpu.stat");

        return fd < 0 ? fd : fd_read_keyed(fd, "usage_usec", ret_usec);
}

const Command *front_jail_first_command(const FrontJail *jail) {
        return jail->commands;
}

uint64_t front_jail_created(const FrontJail *jail) {
        return jail->created_usec;
}

bool front_jail_wall_left(const FrontJail *jail, uint64_t *ret_usec) {
        uint64_t now = units_monotonic(), end = 0;

        if (!jail->wall || sd_event_source_get_time(jail->wall, &end) < 0)
                return false;
        *ret_usec = jail->wall_left_usec ? jail->wall_left_usec : end > now ? end - now : 0;
        return true;
}

Command **front_jail_commands(FrontJail *jail) {
        return &jail->commands;
}

void front_jail_touch(FrontJail *jail) {
        jail->used_usec = units_monotonic();
}

uint64_t front_jail_used(const FrontJail *jail) {
        return jail->used_usec;
}

cJSON *front_jail_head(const FrontJail *jail) {
        cJSON *json = cJSON_CreateObject();
        char time[UNITS_TEXT_MAX];

        json_add_text(json, "jail", jail->id);
        json_add_text(json, "state", state_names[jail->state]);
        json_add_text(json, "snapshot", jail->snapshot);
        json_add_text(json, "policy", jail->policy);
        json_add_text(json, "created", units_format_time(jail->created_usec, time));
        json_add_bool(json, "keep", jail->keep);
        json_add_bool(json, "frozen", front_jail_is_frozen(jail));
        json_add_number(json, "owner_uid", jail->owner_uid);
        return json;
}

cJSON *front_jail_describe(const FrontJail *jail) {
        SCOPED(json_free) cJSON *json = front_jail_head(jail);
        uint64_t value;

        json_add_number(json, "commands", commands_count(jail->commands));
        if (jail->state == FRONT_JAIL_READY) {
                if (fd_read_number(jail->fds[JAIL_FD_MEMORY], &value) == 0)
                        json_add_number(json, "memory", value);
                if (fd_read_number(jail->fds[JAIL_FD_PIDS], &value) == 0)
                        json_add_number(json, "pids", value);
        }
        return json ? TAKE_PTR(json) : NULL;
}

uint32_t front_jail_id_base(const FrontJail *jail) {
        return jail->id_base;
}

JailBook *front_jail_book(const FrontJail *jail) {
        return jail->book;
}

JailStill *front_jail_still(const FrontJail *jail) {
        return &jail->book->still;
}

Backgrounds **front_jail_backgrounds(FrontJail *jail) {
        return &jail->backgrounds;
}

struct AuditRing **front_jail_audit(FrontJail *jail) {
        return &jail->audit;
}
