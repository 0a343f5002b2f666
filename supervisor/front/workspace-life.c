/*
 * workspace-life: see workspace-life.h. The states stand in workspace-live.h.
 */
#include "supervisor/front/workspace-life.h"

#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/owned.h"
#include "base/units.h"
#include "supervisor/front/commands.h"
#include "supervisor/front/controls.h"
#include "supervisor/front/exec-call.h"
#include "supervisor/front/monitor-link.h"
#include "supervisor/front/quotas.h"
#include "supervisor/front/workspace-launch.h"
#include "supervisor/front/workspace-time.h"

#define REMOVE_TRIES 100
#define REMOVE_USEC  100000

/* ---- while it runs ------------------------------------------------------------------------------- */

void live_end_jail(Live *live) {
        live_set_state(live, LIVE_ENDING);
        jail_book_set_end(live->jail, JAIL_END_STOPPED);
        front_jail_end(live->jail, NULL, NULL);
}

static cJSON *describe(const Live *live) {
        cJSON *json = cJSON_CreateObject();

        json_add_text(json, "jail", live->info.id);
        json_add_text(json, "workspace", live->info.name);
        json_add_text(json, "snapshot", live->info.snapshot.name);
        json_add_text(json, "policy", front_jail_policy(live->jail));
        json_add_consume(json, "controls", controls_describe(live->jail));
        return json;
}

static cJSON *record_answer(FrontJail *jail, cJSON *record_consume) {
        cJSON *json = cJSON_CreateObject();

        json_add_text(json, "jail", front_jail_id(jail));
        json_add_consume(json, "controls", controls_describe(jail));
        json_add_consume(json, "command", record_consume);
        return json;
}

/* As it was found: what was started for a command alone stops with it, unless more than @own runs by now */
static void stop_unused(Live *live, unsigned own) {
        if (live && live->state == LIVE_RUNNING && !live->stays && !live->starts &&
            front_jail_state(live->jail) == FRONT_JAIL_READY &&
            commands_count(*front_jail_commands(live->jail)) <= own)
                live_end_jail(live);
}

static void after_exec(FrontJail *jail, void *userdata) {
        (void) userdata;
        stop_unused(live_find(front_jail_front(jail), front_jail_id(jail)), 1); /* that one */
}

static int serve_exec(Live *live, const Waiter *waiter, Error *err) {
        FrontJail *jail = live->jail;
        const ExecFrom from = { .front = live->front,
                                .call = waiter->call,
                                .json = waiter->exec,
                                .at = "/exec",
                                .limits = front_jail_limits(jail),
                                .plan = front_jail_plan(jail),
                                .image = front_jail_image(jail) };
        ExecCall exec = { .call = waiter->call, .answer = record_answer, .after = after_exec };
        ExecParams params = { 0 };
        int r = exec_params_init(&params, &from, err);

        exec.spec = &params.spec;
        if (r >= 0)
                r = exec_call_start(jail, &exec, err);
        exec_params_deinit(&params);
        return r;
}

static void serve_starts(Live *live) {
        Waiter *waiter;

        while (live->state == LIVE_RUNNING && (waiter = live_pop(&live->starts))) {
                Error err = ERROR_EMPTY;

                live->stays |= waiter->stays;
                if (!waiter->exec)
                        call_answer(waiter->call, describe(live), NULL, 0);
                else if (serve_exec(live, waiter, &err) < 0) {
                        live_refuse(live->front, waiter->call, &err);
                        stop_unused(live, 0);
                }
                live_waiter_free(waiter);
        }
}

/* ---- its disk ------------------------------------------------------------------------------------ */

typedef struct Look {
        Front *front;
        char id[ID_MAX];
} Look;

static void on_looked(const MonitorReply *reply, int *fds, unsigned n_fds, void *userdata) {
        autofree Look *look = userdata;

        (void) fds;
        (void) n_fds;
        if (reply->code == 0)
                workspaces_set_taken(look->front, look->id, reply->handle);
}

static int ask_disk(Front *front, RequestKind kind, const Workspace *workspace, MonitorReplyFn done,
                    void *userdata, Error *err) {
        DiskRequest request = { .head.kind = kind,
                                .disk = workspace->disk,
                                .bytes = kind == REQUEST_DISK_MAKE ? workspace->bytes : 0 };

        return monitor_send(front->monitor, &request, sizeof request, NULL, 0, done, userdata, err);
}

void live_look_at_disk(Front *front, const Workspace *workspace) {
        autofree Look *look = calloc(1, sizeof *look);

        if (!look)
                return;
        look->front = front;
        memcpy(look->id, workspace->id, sizeof look->id);
        if (ask_disk(front, REQUEST_DISK_SHOW, workspace, on_looked, look, NULL) == 0)
                (void) TAKE_PTR(look);
}

static void on_removed(const MonitorReply *reply, int *fds, unsigned n_fds, void *userdata);

static int on_again(sd_event_source *source, uint64_t usec, void *userdata) {
        const MonitorReply failed = { .code = -EIO, .text = "the monitor is not asked" };
        Live *live = userdata;

        (void) usec;
        live->again = sd_event_source_disable_unref(source);
        if (ask_disk(live->front, REQUEST_DISK_REMOVE, &live->info, on_removed, live, NULL) < 0)
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
                (void) error_say(&err, r, "%s", reply->text);
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

static void begin_remove(Live *live) {
        Error err = ERROR_EMPTY;
        int r = workspaces_set_state(live->front, live->info.id, WORKSPACE_REMOVING, &err);

        if (r >= 0)
                r = ask_disk(live->front, REQUEST_DISK_REMOVE, &live->info, on_removed, live, &err);
        if (r >= 0) {
                live_set_state(live, LIVE_REMOVING);
                return;
        }
        log_event(LOG_ERR, "workspace is not removed", F("WORKSPACE", live->info.name),
                  F_ERR(&err));
        live->remove = false;
        live_refuse_all(live, &live->removes, &err);
        live_step(live);
}

static void on_made(const MonitorReply *reply, int *fds, unsigned n_fds, void *userdata) {
        Live *live = userdata;
        Error err = ERROR_EMPTY;
        int r = reply->code;

        (void) fds;
        (void) n_fds;
        if (r < 0)
                (void) error_say(
                        &err, r == -ENOPKG || r == -EOPNOTSUPP ? -ENOTSUP : r,
                        r == -ENOPKG ? "make the disk of a workspace: mke2fs is not "
                                       "installed (package e2fsprogs)"
                        : r == -EOPNOTSUPP
                                ? "make the disk of a workspace: the file system of the state "
                                  "directory has no files without a name (O_TMPFILE)"
                                : "make the disk of a workspace: %s",
                        reply->text);
        else
                r = workspaces_set_state(live->front, live->info.id, WORKSPACE_THERE, &err);
        if (r < 0) {
                live_refuse_all(live, &live->starts, &err);
                live->remove = true;
        } else {
                live_look_at_disk(live->front, &live->info);
        }
        live_set_state(live, LIVE_STOPPED);
        live_step(live);
}

/* ---- from one state to the next ------------------------------------------------------------------- */

static void on_gone(void *userdata) {
        Live *live = userdata;

        live->jail = NULL;
        live->stays = false;
        live->idle = sd_event_source_disable_unref(live->idle);
        (void) workspaces_set_used(live->front, live->info.id, false, NULL);
        live_look_at_disk(live->front, &live->info);
        live_set_state(live, LIVE_STOPPED);
        live_step(live);
}

static void on_launched(FrontJail *jail, const Error *err, void *userdata) {
        Live *live = userdata;
        Error own = ERROR_EMPTY;

        if (jail && front_jail_watch(jail, on_gone, live) < 0) {
                (void) error_set(&own, -ENOMEM, "start a workspace");
                front_jail_end(jail, NULL, NULL);
                err = &own;
        }
        if (err) {
                live_refuse_all(live, &live->starts, err);
                live_set_state(live, LIVE_STOPPED);
                live_step(live);
                return;
        }
        live->jail = jail;
        live_set_state(live, LIVE_RUNNING);
        (void) workspaces_set_used(live->front, live->info.id, true, NULL);
        live_watch_idle(live);
        live_step(live);
}

/* Of several that wait the first asks; what it is refused, they are */
static void begin_start(Live *live) {
        uint64_t promised = workspaces_promised(live->front);
        Error err = ERROR_EMPTY;

        live_set_state(live, LIVE_STARTING);
        if (workspaces_find_id(live->front, live->info.id, 0, &live->info, &err) >= 0 &&
            workspace_launch(live->front, &live->info, live->starts->call, promised, on_launched,
                             live, &err) >= 0)
                return;
        on_launched(NULL, &err, live);
}

void live_step(Live *live) {
        Workspaces *workspaces = live->front->workspaces;

        if (live->state == LIVE_RUNNING && (live->stops || live->remove))
                live_end_jail(live);
        else if (live->state == LIVE_RUNNING)
                serve_starts(live);
        if (live->state != LIVE_STOPPED)
                return;
        live_answer_all(&live->stops);
        if (live->remove) {
                begin_remove(live);
        } else if (live->starts) {
                begin_start(live);
        } else {
                live_free(live);
                workspaces_arm_ttl(workspaces);
                front_touch(workspaces->front);
        }
}

/* ---- what is asked for ----------------------------------------------------------------------------- */

static int make_new(Live *live, const cJSON *fresh, Error *err) {
        int r = workspaces_check_quota(live->front, live->info.owner_uid, live->info.bytes, true,
                                       err);

        if (r >= 0)
                r = workspace_check_room(live->front, workspaces_promised(live->front),
                                         live->info.bytes, err);
        if (r >= 0)
                r = workspaces_add(live->front, &live->info, fresh, err);
        if (r >= 0) {
                r = ask_disk(live->front, REQUEST_DISK_MAKE, &live->info, on_made, live, err);
                if (r < 0)
                        (void) workspaces_forget(live->front, &live->info, NULL);
        }
        return r;
}

void workspace_run(Front *front, const Workspace *workspace, const WorkspaceRun *run) {
        Live *live = live_get(front, workspace, run->fresh ? LIVE_MAKING : LIVE_STOPPED);
        Error err = ERROR_EMPTY;
        int r = live ? 0 : error_set(&err, -ENOMEM, "start a workspace");

        if (r == 0 && (live->remove || workspace->state == WORKSPACE_REMOVING))
                r = error_say(&err, -EBUSY, "workspace %s is being removed", workspace->name);
        if (r == 0 && run->fresh) {
                r = make_new(live, run->fresh, &err);
                if (r < 0) {
                        live_free(live);
                        live = NULL;
                }
        }
        if (r == 0 && live_push(&live->starts, run->call, run->exec, run->stays) < 0)
                r = error_set(&err, -ENOMEM, "start a workspace");
        if (r < 0)
                live_refuse(front, run->call, &err);
        if (live) /* the one that was made for this goes again, where nothing is wanted of it */
                live_step(live);
}

void workspace_stop(Front *front, const Workspace *workspace, Call *call) {
        Live *live = live_find(front, workspace->id);
        Error err = ERROR_EMPTY;

        if (!live) {
                call_answer(call, cJSON_CreateObject(), NULL, 0);
        } else if (live_push(&live->stops, call, NULL, false) < 0) {
                (void) error_set(&err, -ENOMEM, "stop a workspace");
                live_refuse(front, call, &err);
        } else {
                live_step(live);
        }
}

void workspace_remove(Front *front, const Workspace *workspace, Call *call) {
        Live *live = live_get(front, workspace, LIVE_STOPPED);
        Error err = ERROR_EMPTY;

        if (!live || (call && live_push(&live->removes, call, NULL, false) < 0)) {
                (void) error_set(&err, -ENOMEM, "remove a workspace");
                live_refuse(front, call, &err);
                return;
        }
        live->remove = true;
        live_step(live);
}

FrontJail *workspace_jail(Front *front, const char *id) {
        Live *live = live_find(front, id);

        return live && live->state == LIVE_RUNNING ? live->jail : NULL;
}

const Workspace *workspace_of_jail(Front *front, const FrontJail *jail) {
        Live *live = live_find(front, front_jail_id(jail));

        return live && live->jail == jail ? &live->info : NULL;
}

uint64_t workspaces_promised(Front *front) {
        uint64_t sum = 0;

        for (const Live *live = front->workspaces->first; live; live = live->next)
                if (live->state == LIVE_STARTING || live->state == LIVE_RUNNING ||
                    live->state == LIVE_ENDING)
                        sum += workspace_promise(&live->info);
        return sum;
}
