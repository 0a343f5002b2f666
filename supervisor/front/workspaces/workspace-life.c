/*
 * workspace-life: see workspace-life.h. The states stand in workspace-live.h.
 */
#include "supervisor/front/workspaces/workspace-life.h"

#include "base/log.h"
#include "supervisor/front/commands/commands.h"
#include "supervisor/front/commands/exec-call.h"
#include "supervisor/front/jails/jail-refuse.h"
#include "supervisor/front/policy/controls.h"
#include "supervisor/front/workspaces/workspace-disk.h"
#include "supervisor/front/workspaces/workspace-launch.h"
#include "supervisor/front/workspaces/workspace-time.h"

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
        ExecCall exec = { .call = waiter->call,
                          .answer = exec_answer_in_jail,
                          .after = after_exec };
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
                        jail_refuse(live->front, waiter->call, &err);
                        stop_unused(live, 0);
                }
                live_waiter_free(waiter);
        }
}

/* ---- from one state to the next ------------------------------------------------------------------- */

/* One that never ran goes with the request that it was to be made for */
static void refuse_starts(Live *live, const Error *err) {
        if (live->fresh && live->info.state == WORKSPACE_MAKING && !live->remove) {
                (void) workspaces_forget(live->front, &live->info, NULL);
                live->fresh = false;
        }
        live_refuse_all(live, &live->starts, err);
        live_set_state(live, LIVE_STOPPED);
        live_step(live);
}

static int not_made(const MonitorReply *reply, Error *err) {
        static const char step[] = "make the disk of a workspace";

        if (reply->code == -ENOPKG)
                return error_say(err, -ENOTSUP, "%s: mke2fs is not installed (package e2fsprogs)",
                                 step);
        if (reply->code == -EOPNOTSUPP)
                return error_say(err, -ENOTSUP,
                                 "%s: the file system of the state directory has no files without "
                                 "a name (O_TMPFILE)",
                                 step);
        return error_add(err, monitor_refusal(reply, err), "%s", step);
}

static void on_made(const MonitorReply *reply, int *fds, unsigned n_fds, void *userdata) {
        Live *live = userdata;
        Error err = ERROR_EMPTY;
        int r = reply->code;

        (void) fds;
        (void) n_fds;
        if (r < 0)
                (void) not_made(reply, &err);
        else
                r = workspaces_set_state(live->front, live->info.id, WORKSPACE_THERE, &err);
        live->info.state = WORKSPACE_THERE; /* or what is half there goes as one that is */
        if (r < 0) {
                refuse_starts(live, &err);
                return;
        }
        disk_look(live->front, &live->info);
        live_set_state(live, LIVE_STOPPED);
        live_step(live);
}

static void on_gone(void *userdata) {
        Live *live = userdata;

        live->jail = NULL;
        live->stays = false;
        live->idle = sd_event_source_disable_unref(live->idle);
        (void) workspaces_set_used(live->front, live->info.id, false, NULL);
        disk_look(live->front, &live->info);
        live_set_state(live, LIVE_STOPPED);
        live_step(live);
}

/* Those whose client has gone ask for nobody else. Returns: was there one */
static bool drop_gone(Live *live) {
        Error err = ERROR_EMPTY;
        bool dropped = false;

        (void) error_say(&err, -ECANCELED, "the client has gone");
        while (live->starts && !call_client(live->starts->call)) {
                Waiter *waiter = live_pop(&live->starts);

                jail_refuse(live->front, waiter->call, &err);
                live_waiter_free(waiter);
                dropped = true;
        }
        return dropped;
}

static void on_launched(FrontJail *jail, const Error *err, void *userdata) {
        Live *live = userdata;
        Error own = ERROR_EMPTY;

        live->launch = NULL;
        if (jail && front_jail_watch(jail, on_gone, live) < 0) {
                (void) error_set(&own, -ENOMEM, "start a workspace");
                front_jail_end(jail, NULL, NULL);
                err = &own;
        }
        if (err && drop_gone(live)) { /* that one was refused; the next asks for itself */
                live_set_state(live, LIVE_STOPPED);
                live_step(live);
                return;
        }
        if (err) {
                refuse_starts(live, err);
                return;
        }
        live->jail = jail;
        live->fresh = false;
        live_set_state(live, LIVE_RUNNING);
        (void) workspaces_set_used(live->front, live->info.id, true, NULL);
        live_watch_idle(live);
        live_step(live);
}

/* Of several that wait the first asks; what it is refused, they are */
static int launch(Live *live, Error *err) {
        const LaunchSpec spec = { live->starts->call, live->charged, on_launched, live };
        int r = workspaces_find_id(live->front, live->info.id, 0, &live->info, err);

        live->charged = false;
        return r < 0 ? r : workspace_launch(live->front, &live->info, &spec, &live->launch, err);
}

/* There is room for it, or there is none: @r */
static void go_on(Live *live, int r, Error *err) {
        bool is_made = live->info.state != WORKSPACE_MAKING;

        (void) drop_gone(live);
        for (const Waiter *waiter = live->starts; r < 0 && waiter; waiter = waiter->next)
                call_refuse(waiter->call, "limit", NULL,
                            "stop one, or make it with a smaller disk");
        if (r >= 0 && (!live->starts || live->remove)) { /* not wanted any more */
                live_set_state(live, LIVE_STOPPED);
                live_step(live);
                return;
        }
        if (r >= 0)
                r = is_made ? launch(live, err)
                            : disk_ask(live->front, REQUEST_DISK_MAKE, &live->info, on_made, live,
                                       err);
        if (r < 0)
                refuse_starts(live, err);
        else
                live_set_state(live, is_made ? LIVE_STARTING : LIVE_MAKING);
}

void live_looked(Live *live) {
        Error err = ERROR_EMPTY;
        int r = live_check_room(live, &err);

        go_on(live, r, &err);
}

static void begin_start(Live *live) {
        Error err = ERROR_EMPTY;
        int r;

        live_set_state(live, LIVE_LOOKING);
        r = live_find_room(live, &err);
        if (r != ROOM_E_LOOKS)
                go_on(live, r, &err);
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
        if (live->remove || (live->fresh && !live->starts)) {
                live_remove(live);
        } else if (live->starts) {
                begin_start(live);
        } else {
                live_free(live);
                workspaces_arm_ttl(workspaces);
                front_touch(workspaces->front);
        }
}

/* ---- what is asked for ----------------------------------------------------------------------------- */

/* Whatever its first start would be refused, its making is: nothing is made that could not run */
static int make_new(Live *live, const WorkspaceRun *run, Error *err) {
        Front *front = live->front;
        int r = workspaces_check_quota(front, live->info.owner_uid, live->info.bytes, true, err);

        if (r >= 0)
                r = workspace_may_launch(front, &live->info, run->fresh, run->call, err);
        if (r >= 0)
                r = workspaces_add(front, &live->info, run->fresh, err);
        live->fresh = live->charged = r >= 0;
        return r;
}

void workspace_run(Front *front, const Workspace *workspace, const WorkspaceRun *run) {
        Live *live = live_get(front, workspace);
        Error err = ERROR_EMPTY;
        int r = live ? 0 : error_set(&err, -ENOMEM, "start a workspace");

        if (r == 0 && (live->remove || workspace->state == WORKSPACE_REMOVING))
                r = error_say(&err, -EBUSY, "workspace %s is being removed", workspace->name);
        if (r == 0 && run->fresh)
                r = make_new(live, run, &err);
        if (r == 0 && live_push(&live->starts, run->call, run->exec, run->stays) < 0)
                r = error_set(&err, -ENOMEM, "start a workspace");
        if (r < 0)
                jail_refuse(front, run->call, &err);
        if (live) /* the one that was made for this goes again, where nothing is wanted of it */
                live_step(live);
}

static void cancel_launch(Live *live) {
        if (live->state != LIVE_STARTING || !launch_cancel(live->launch))
                return;
        live->launch = NULL;
        live_set_state(live, LIVE_STOPPED);
}

/* Who waited for it to run before this does not wait for it to run after it */
static void stop(Live *live) {
        Error err = ERROR_EMPTY;

        (void) error_say(&err, -ECANCELED, "workspace %s was stopped before it ran",
                         live->info.name);
        cancel_launch(live);
        live_refuse_all(live, &live->starts, &err);
        live_step(live);
}

void workspace_stop(Front *front, const Workspace *workspace, Call *call) {
        Live *live = live_find(front, workspace->id);
        Error err = ERROR_EMPTY;

        if (!live) {
                call_answer(call, cJSON_CreateObject(), NULL, 0);
        } else if (live_push(&live->stops, call, NULL, false) < 0) {
                (void) error_set(&err, -ENOMEM, "stop a workspace");
                jail_refuse(front, call, &err);
        } else {
                stop(live);
        }
}

void workspace_remove(Front *front, const Workspace *workspace, Call *call) {
        Live *live = live_get(front, workspace);
        Error err = ERROR_EMPTY;

        if (!live || (call && live_push(&live->removes, call, NULL, false) < 0)) {
                (void) error_set(&err, -ENOMEM, "remove a workspace");
                if (call)
                        jail_refuse(front, call, &err);
                else /* its time was over: the clock asks again */
                        log_event(LOG_ERR, "workspace cannot be removed",
                                  F("WORKSPACE", workspace->name), F_ERR(&err));
                return;
        }
        live->remove = true;
        cancel_launch(live);
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
