/*
 * jail-methods: see jail-methods.h.
 */
#include "supervisor/front/jails/jail-methods.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/front/commands/background.h"
#include "supervisor/front/commands/exec-call.h"
#include "supervisor/front/jails/jail-create.h"
#include "supervisor/front/jails/jail-parts.h"
#include "supervisor/front/paging.h"
#include "supervisor/front/policy/controls.h"
#include "supervisor/front/policy/policy-limits.h"
#include "supervisor/front/workspaces/workspace-life.h"
#include "supervisor/front/workspaces/workspace-methods.h"

#define LIST_RUNNING 'r' /* parts of a page */
#define LIST_STOPPED 's'

FrontJail *jail_method_find(Front *front, Call *call, const cJSON *params, Error *err) {
        const char *id = json_text(params, "jail");
        FrontJail *jail = front_jail_find(front, id, call_uid(call));
        Workspace workspace;
        bool is_workspace = false;
        char hint[80] = "see `warder ls -a`";

        if (!jail && workspace_take(front, call, id, &workspace) == 0) {
                jail = workspace_jail(front, workspace.id);
                is_workspace = true;
        }
        if (jail && front_jail_is_listed(jail))
                return jail;
        if (is_workspace)
                (void) snprintf(hint, sizeof hint, "start it: `warder start %.40s`", id);
        call_refuse(call, "not_found", "/jail", hint);
        error_say(err, -ENOENT,
                  is_workspace ? "workspace %.40s does not run" : "there is no jail %.40s", id);
        return NULL;
}

FrontJail *jail_method_find_own(Front *front, Call *call, const cJSON *params, Error *err) {
        FrontJail *jail = jail_method_find(front, call, params, err);

        return jail && call_owns(call, front_jail_owner(jail), err) < 0 ? NULL : jail;
}

static cJSON *bare_record(FrontJail *jail, cJSON *record_consume) {
        (void) jail;
        return record_consume;
}

/* Answers with its id at once. What it writes is one stream */
static int start_background(FrontJail *jail, Call *call, const cJSON *params, CommandSpec *spec,
                            cJSON **ret_result, Error *err) {
        Client *holder = json_true(params, "hold") ? call_client(call) : NULL;
        const char *id = NULL;
        int r;

        if (json_true(params, "hold") && !holder)
                return error_say(err, -ECANCELED, "the client has gone");
        if (!json_get(params, "stdio"))
                spec->stdio[2] = STDIO_MERGE;
        if (spec->stdio[2] == STDIO_CAPTURE) {
                call_refuse(call, "invalid", "/stdio/2", NULL);
                return error_say(err, -EINVAL,
                                 "what a command in the background writes is one stream: "
                                 "\"merge\" its errors");
        }
        r = background_start(jail, spec, holder, &id, err);
        if (r < 0)
                return r;
        *ret_result = cJSON_CreateObject();
        json_add_text(*ret_result, "jail", front_jail_id(jail));
        json_add_text(*ret_result, "command", id);
        return *ret_result ? 0 : error_set(err, -ENOMEM, "answer");
}

static int run_exec(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err) {
        FrontJail *jail = jail_method_find_own(front, call, params, err);
        ExecFrom from = { .front = front, .call = call, .json = params, .at = "" };
        ExecCall exec = { .call = call, .answer = bare_record };
        ExecParams command = { 0 };
        int r;

        if (!jail)
                return err->code;
        from.limits = front_jail_limits(jail);
        from.plan = front_jail_plan(jail);
        from.image = front_jail_image(jail);
        from.has_work = plan_has_view(from.plan, VIEW_WORK);
        from.own_tty = json_true(params, "detach");
        exec.spec = &command.spec;
        r = exec_params_init(&command, &from, err);
        if (r >= 0)
                r = json_true(params, "detach")
                            ? start_background(jail, call, params, &command.spec, ret_result, err)
                            : exec_call_start(jail, &exec, err);
        exec_params_deinit(&command);
        return r;
}

static int run_logs(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err) {
        FrontJail *jail = jail_method_find_own(front, call, params, err);
        const BackgroundLook look = { .command = json_text(params, "command"),
                                      .follow = json_true(params, "follow") };

        (void) ret_result;
        return jail ? background_look(jail, call, &look, err) : err->code;
}

static int run_attach(Front *front, Call *call, const cJSON *params, cJSON **ret_result,
                      Error *err) {
        FrontJail *jail = jail_method_find_own(front, call, params, err);
        BackgroundLook look = { .command = json_text(params, "command"),
                                .leave = json_true(params, "leave"),
                                .only = json_true(params, "hang_up")  ? INIT_LOGS_HANG_UP
                                        : json_true(params, "resize") ? INIT_LOGS_SIZE
                                                                      : INIT_LOGS_ALL };
        uint64_t rows = 0, columns = 0;

        (void) ret_result;
        (void) json_number(params, "rows", &rows);
        (void) json_number(params, "columns", &columns);
        look.follow = look.keys = look.only == INIT_LOGS_ALL;
        look.rows = (uint32_t) rows;
        look.columns = (uint32_t) columns;
        return jail ? background_look(jail, call, &look, err) : err->code;
}

static int run_signal(Front *front, Call *call, const cJSON *params, cJSON **ret_result,
                      Error *err) {
        FrontJail *jail = jail_method_find(front, call, params, err);
        Command *command = jail ? command_find(jail, json_text(params, "command")) : NULL;
        uint64_t signal = 0;
        int r = 0;

        if (!jail)
                return err->code;
        if (!command) {
                call_refuse(call, "not_found", "/command", NULL);
                return error_say(err, -ENOENT, "no such command runs in this jail");
        }
        (void) json_number(params, "signal", &signal);
        if (signal == SIGKILL) /* everything that it started, sessions of their own included */
                command_kill(command, CAUSE_KILLED_BY_CLIENT);
        else
                r = command_signal(command, (int) signal, err);
        if (r < 0)
                return r;
        *ret_result = cJSON_CreateObject();
        return *ret_result ? 0 : error_set(err, -ENOMEM, "answer");
}

static cJSON *describe(Front *front, const FrontJail *jail) {
        cJSON *json = front_jail_describe(jail);

        workspace_describe_more(front, jail, json);
        return json;
}

/* Newest first: the order in which they were asked for, backwards */
static void list_running(Front *front, uint32_t uid, const PageList *page) {
        PagePlace at;

        if (!paging_from(page->paging, page->part, &at))
                return;
        for (FrontJail *jail = front->jails; jail; jail = front_jail_next(jail)) {
                const PagePlace place = { .part = page->part,
                                          .has_place = true,
                                          .number = (int64_t) front_jail_book(jail)->number };

                if (at.has_place && place.number >= at.number)
                        continue;
                if (front_jail_is_listed(jail) && (uid == 0 || front_jail_owner(jail) == uid) &&
                    !paging_push_consume(page->paging, page->list, describe(front, jail), &place,
                                         0))
                        return;
        }
}

static int run_list(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err) {
        static const char parts[] = { LIST_RUNNING, LIST_STOPPED, 0 };
        SCOPED(json_free) cJSON *json = cJSON_CreateObject();
        Paging paging;
        PageList running = { &paging, LIST_RUNNING, json_add_array(json, "jails") };
        PageList stopped = { &paging, LIST_STOPPED, running.list };
        int r = paging_begin(&paging, parts, params, err);

        if (r < 0)
                call_refuse(call, "invalid", "/cursor", NULL);
        else if (!running.list)
                r = error_set(err, -ENOMEM, "list the jails");
        if (r < 0)
                return r;
        list_running(front, call_uid(call), &running);
        if (json_true(params, "all"))
                r = workspaces_list(front, call, &stopped, err);
        if (r < 0)
                return r;
        paging_end(&paging, json);
        *ret_result = TAKE_PTR(json);
        return 0;
}

static int run_show(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err) {
        Workspace workspace;
        FrontJail *jail;
        cJSON *json, *user;

        if (workspace_take(front, call, json_text(params, "jail"), &workspace) == 0 &&
            !workspace_jail(front, workspace.id)) {
                *ret_result = workspace_describe(&workspace);
                return *ret_result ? 0 : error_set(err, -ENOMEM, "show a workspace");
        }
        jail = jail_method_find(front, call, params, err);
        if (!jail)
                return err->code;
        json = describe(front, jail);
        if (!json)
                return error_set(err, -ENOMEM, "show a jail");
        limits_describe(front_jail_limits(jail), json);
        user = json_add_object(json, "user");
        json_add_number(user, "uid", front_jail_plan(jail)->uid);
        json_add_number(user, "gid", front_jail_plan(jail)->gid);
        if (call_peer(call)->uid == 0 || call_peer(call)->uid == front_jail_owner(jail))
                backgrounds_describe(jail, json_add_array(json, "background"));
        json_add_consume(json, "controls", controls_describe(jail));
        json_add_text(json, "work", jail_work_word(jail));
        *ret_result = json;
        return 0;
}

static void on_gone(void *userdata) {
        call_answer(userdata, cJSON_CreateObject(), NULL, 0);
}

static int run_destroy(Front *front, Call *call, const cJSON *params, cJSON **ret_result,
                       Error *err) {
        Workspace workspace;
        FrontJail *jail;

        (void) ret_result;
        if (workspace_take(front, call, json_text(params, "jail"), &workspace) == 0) {
                if (!json_true(params, "disk")) {
                        call_refuse(call, "denied", "/disk",
                                    "jail.stop ends it and keeps its disk; \"disk\": true removes "
                                    "both");
                        return error_say(err, -EPERM, "workspace %s is persistent", workspace.name);
                }
                workspace_remove(front, &workspace, call);
                return 0;
        }
        jail = jail_method_find(front, call, params, err);
        if (!jail)
                return err->code;
        jail_book_set_end(jail, JAIL_END_DESTROYED);
        front_jail_end(jail, on_gone, call);
        return 0;
}

static void on_opened(int fd, uint64_t size, const Error *err, void *userdata) {
        autoclose int owned = fd;
        cJSON *json;

        if (err) {
                call_fail(userdata, NULL, err);
                return;
        }
        json = cJSON_CreateObject();
        json_add_number(json, "size", size);
        call_answer(userdata, json, &owned, 1);
}

static uint32_t open_flags(const cJSON *words) {
        static const struct {
                const char *word;
                uint32_t flag;
        } flags[] = {
                { "read", INIT_OPEN_READ },       { "write", INIT_OPEN_WRITE },
                { "create", INIT_OPEN_CREATE },   { "truncate", INIT_OPEN_TRUNCATE },
                { "parents", INIT_OPEN_PARENTS },
        };
        const cJSON *word;
        uint32_t all = 0;

        cJSON_ArrayForEach(word, words) {
                for (unsigned i = 0; i < ELEMENTS(flags); i++)
                        if (strcmp(word->valuestring, flags[i].word) == 0)
                                all |= flags[i].flag;
        }
        return all;
}

static int run_open(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err) {
        FrontJail *jail = jail_method_find_own(front, call, params, err);
        OpenSpec spec = { .path = json_text(params, "path"),
                          .flags = open_flags(json_get(params, "flags")),
                          .mode = 0644 };
        uint64_t mode;

        (void) ret_result;
        if (!jail)
                return err->code;
        if (json_number(params, "mode", &mode) == 0)
                spec.mode = (uint32_t) mode;
        spec.uid = front_jail_plan(jail)->uid;
        spec.gid = front_jail_plan(jail)->gid;
        return front_jail_open(jail, &spec, on_opened, call, err);
}

const MethodRow jail_methods[] = {
        { "jail.exec", run_exec },       { "jail.signal", run_signal }, { "jail.logs", run_logs },
        { "jail.attach", run_attach },   { "jail.list", run_list },     { "jail.show", run_show },
        { "jail.destroy", run_destroy }, { "jail.open", run_open },     { NULL, NULL },
};
