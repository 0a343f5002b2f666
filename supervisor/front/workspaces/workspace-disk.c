/*
 * workspace-disk: see workspace-disk.h.
 *
 * What disks may still take of the host is not overcommitted: a start that would promise more than is free is
 * refused. Others write there too, so that the host can run full all the same; then the jail's file system stops
 * at its first write that fails, as it does with a disk that breaks, and its journal keeps it sound.
 */
#include "supervisor/front/workspaces/workspace-disk.h"

#include <string.h>
#include <sys/statvfs.h>

#include "base/log.h"
#include "base/owned.h"
#include "base/units.h"

#define REMOVE_TRIES 100
#define REMOVE_USEC  100000
#define ROOM_SPARE   (64ull << 20) /* for what the ledger and others write meanwhile */

int disk_ask(Front *front, RequestKind kind, const Workspace *workspace, MonitorReplyFn done,
             void *userdata, Error *err) {
        DiskRequest request = { .head.kind = kind,
                                .disk = workspace->disk,
                                .bytes = kind == REQUEST_DISK_MAKE ? workspace->bytes : 0 };

        return monitor_send(front->monitor, &request, sizeof request, NULL, 0, done, userdata, err);
}

/* ---- what one takes ------------------------------------------------------------------------------ */

typedef struct Look {
        Front *front;
        char id[ID_MAX];
        char asker[ID_MAX]; /* the workspace that waits for this; "": none */
} Look;

/* One that cannot be looked at may still take all that it may have */
static void learn(const Look *look, const MonitorReply *reply) {
        Live *live = live_find(look->front, look->id);

        if (reply->code == 0)
                workspaces_set_taken(look->front, look->id, reply->handle);
        if (live)
                live->info.taken = reply->code == 0 ? reply->handle : 0;
}

static void on_looked(const MonitorReply *reply, int *fds, unsigned n_fds, void *userdata) {
        autofree Look *look = userdata;
        Live *asker = live_find(look->front, look->asker);

        (void) fds;
        (void) n_fds;
        learn(look, reply);
        if (asker && --asker->looks == 0)
                live_looked(asker);
}

static int look(Front *front, const Workspace *workspace, const char *asker) {
        autofree Look *look = calloc(1, sizeof *look);
        int r;

        if (!look)
                return -ENOMEM;
        look->front = front;
        memcpy(look->id, workspace->id, sizeof look->id);
        memcpy(look->asker, asker, strlen(asker) + 1);
        r = disk_ask(front, REQUEST_DISK_SHOW, workspace, on_looked, look, NULL);
        if (r == 0)
                (void) TAKE_PTR(look);
        return r;
}

void disk_look(Front *front, const Workspace *workspace) {
        (void) look(front, workspace, "");
}

/* ---- the host's room ----------------------------------------------------------------------------- */

static uint64_t promise(const Workspace *workspace) {
        return workspace->bytes > workspace->taken ? workspace->bytes - workspace->taken : 0;
}

static bool has_disk(const Live *live) {
        return live->state == LIVE_STARTING || live->state == LIVE_RUNNING ||
               live->state == LIVE_ENDING;
}

static uint64_t room(Front *front) {
        struct statvfs host;
        uint64_t left;

        if (fstatvfs(front->state_fd, &host) < 0)
                return 0;
        left = host.f_bavail * host.f_frsize;
        return left > ROOM_SPARE ? left - ROOM_SPARE : 0;
}

static bool fits_whole(const Live *live) {
        uint64_t sum = live->info.bytes;

        for (const Live *at = live->front->workspaces->first; at; at = at->next)
                if (has_disk(at))
                        sum += at->info.bytes;
        return sum <= room(live->front);
}

int live_check_room(const Live *live, Error *err) {
        char left[UNITS_TEXT_MAX], have[UNITS_TEXT_MAX], want[UNITS_TEXT_MAX];
        uint64_t free_bytes = room(live->front), more = promise(&live->info), promised = 0;

        for (const Live *at = live->front->workspaces->first; at; at = at->next)
                if (has_disk(at))
                        promised += promise(&at->info);
        if (promised <= free_bytes && more <= free_bytes - promised)
                return 0;
        return error_say(
                err, -ENOSPC,
                "the host's disk has %s free, running workspaces may still take %s of it, and "
                "this one %s",
                units_format_size(free_bytes, left), units_format_size(promised, have),
                units_format_size(more, want));
}

static void ask_for(Live *live, Live *of) {
        if (look(live->front, &of->info, live->info.id) == 0)
                live->looks++;
        else
                of->info.taken = 0;
}

int live_find_room(Live *live, Error *err) {
        if (fits_whole(live))
                return 0;
        live->looks = 0;
        if (live->info.state == WORKSPACE_THERE)
                ask_for(live, live);
        for (Live *at = live->front->workspaces->first; at; at = at->next)
                if (has_disk(at))
                        ask_for(live, at);
        return live->looks > 0 ? ROOM_E_LOOKS : live_check_room(live, err);
}

/* ---- its end ------------------------------------------------------------------------------------- */

static void on_removed(const MonitorReply *reply, int *fds, unsigned n_fds, void *userdata);

static int on_again(sd_event_source *source, uint64_t usec, void *userdata) {
        const MonitorReply failed = { .code = -EIO, .text = "the monitor is not asked" };
        Live *live = userdata;

        (void) usec;
        live->again = sd_event_source_disable_unref(source);
        if (disk_ask(live->front, REQUEST_DISK_REMOVE, &live->info, on_removed, live, NULL) < 0)
                on_removed(&failed, NULL, 0, live);
        return 0;
}

/* The last that a jail wrote is on its way to the disk, most often, and the device goes then */
static bool try_again(Live *live) {
        return live->tries++ < REMOVE_TRIES &&
               sd_event_add_time_relative(live->front->event, &live->again, CLOCK_MONOTONIC,
                                          REMOVE_USEC, 0, on_again, live) >= 0;
}

static void on_removed(const MonitorReply *reply, int *fds, unsigned n_fds, void *userdata) {
        Live *live = userdata;
        Error err = ERROR_EMPTY;
        int r = reply->code;

        (void) fds;
        (void) n_fds;
        if (r == -EBUSY && try_again(live))
                return;
        if (r < 0 && r != -ENOENT)
                (void) monitor_refusal(reply, &err);
        else
                r = workspaces_forget(live->front, &live->info, &err);
        if (r < 0) {
                log_event(LOG_ERR, "workspace is not removed whole: the next start goes on",
                          F("WORKSPACE", live->info.name), F_ERR(&err));
                live_refuse_all(live, &live->removes, &err);
        } else {
                log_event(LOG_INFO, "workspace is removed, with its disk",
                          F("WORKSPACE", live->info.name), F("JAIL", live->info.id));
                live_answer_all(&live->removes);
        }
        live_answer_all(&live->stops);
        (void) error_say(&err, -ENOENT, "workspace %s is removed", live->info.name);
        live_refuse_all(live, &live->starts, &err);
        live_free(live);
}

void live_remove(Live *live) {
        Error err = ERROR_EMPTY;
        int r = workspaces_set_state(live->front, live->info.id, WORKSPACE_REMOVING, &err);

        if (r >= 0)
                r = disk_ask(live->front, REQUEST_DISK_REMOVE, &live->info, on_removed, live, &err);
        if (r >= 0) {
                live_set_state(live, LIVE_REMOVING);
                return;
        }
        log_event(LOG_ERR, "workspace is not removed", F("WORKSPACE", live->info.name),
                  F_ERR(&err));
        live->remove = live->fresh = false;
        live_refuse_all(live, &live->removes, &err);
        live_step(live);
}
