/*
 * workspace-methods: see workspace-methods.h.
 */
#include "supervisor/front/workspaces/workspace-methods.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/units.h"
#include "supervisor/front/jails/jail-methods.h"
#include "supervisor/front/policy/policy-take.h"
#include "supervisor/front/workspaces/workspace-life.h"

#define BLOCK 4096u

/* ---- which --------------------------------------------------------------------------------------- */

int workspace_take(Front *front, Call *call, const char *text, Workspace *ret) {
        return id_is_valid('j', text)
                       ? workspaces_find_id(front, text, call_uid(call), ret, NULL)
                       : workspaces_find(front, call_peer(call)->uid, text, ret, NULL);
}

static int take(Front *front, Call *call, const cJSON *params, Workspace *ret, Error *err) {
        const char *text = json_text(params, "jail");

        if (workspace_take(front, call, text, ret) == 0)
                return 0;
        call_refuse(call, "not_found", "/jail", "see `warder ls -a`");
        return error_say(err, -ENOENT, "there is no workspace %.40s", text);
}

/* ---- making one ---------------------------------------------------------------------------------- */

/* Bounds are the schema's */
static void take_numbers(Workspace *workspace, const cJSON *persistent) {
        uint64_t disk = WORKSPACE_DISK_OTHERWISE;

        (void) json_number(persistent, "disk", &disk);
        (void) json_number(persistent, "idle_stop", &workspace->idle_usec);
        (void) json_number(persistent, "ttl", &workspace->ttl_usec);
        workspace->bytes = disk - disk % BLOCK;
        workspace->created_usec = workspace->used_usec = units_now();
}

/* What it is asked with, for each start of it */
static cJSON *asked_of(Front *front, const cJSON *params, const Workspace *workspace) {
        static const char *const members[] = { "policy", "limits", "hostname", "user" };
        cJSON *asked = cJSON_CreateObject();

        for (unsigned i = 0; i < ELEMENTS(members); i++)
                if (json_get(params, members[i]))
                        json_add_consume(asked, members[i],
                                         cJSON_Duplicate(json_get(params, members[i]), true));
        if (workspace->snapshot.n_layers > 0) {
                cJSON *image = snapshots_config(front, &workspace->snapshot);

                if (image)
                        json_add_consume(asked, "image", image);
        }
        return asked;
}

static int make(Front *front, Call *call, const cJSON *params, Workspace *ret, Error *err) {
        const cJSON *persistent = json_get(params, "persistent");
        const char *name = json_text(persistent, "name"), *snapshot = json_text(params, "snapshot");
        int r = workspace_name_check(name, err);

        if (r < 0) {
                call_refuse(call, "invalid", "/persistent/name", NULL);
                return r;
        }
        *ret = (Workspace){ .owner_uid = call_peer(call)->uid };
        take_numbers(ret, persistent);
        r = snapshots_find(front, snapshot ? snapshot : "host", ret->owner_uid, &ret->snapshot,
                           err);
        if (r < 0) {
                call_refuse(call, "not_found", "/snapshot", NULL);
                return r;
        }
        (void) snprintf(ret->name, sizeof ret->name, "%s", name);
        id_new('j', ret->id);
        while ((ret->disk & INT64_MAX) == 0)
                if (getrandom(&ret->disk, sizeof ret->disk, 0) != (ssize_t) sizeof ret->disk)
                        return error_set(err, -errno, "number a disk");
        return 0;
}

/* ---- one that is there --------------------------------------------------------------------------- */

static bool is_same(const cJSON *asked, const char *name, const cJSON *given) {
        return !given || cJSON_Compare(json_get(asked, name), given, true);
}

static bool is_number(const cJSON *given, const char *name, uint64_t value) {
        uint64_t number;

        return json_number(given, name, &number) < 0 || number == value;
}

/* Whose it was is not kept: "1000:debian" is the same here as "debian" */
static const char *name_alone(const char *snapshot) {
        const char *colon = strchr(snapshot, ':');

        return colon ? colon + 1 : snapshot;
}

/* What is said of one that is there may only say what it is: nothing of it changes by being started */
static int check_same(Front *front, Call *call, const cJSON *params, const Workspace *workspace,
                      Error *err) {
        static const char *const members[] = { "policy", "limits", "hostname", "user" };
        const cJSON *persistent = json_get(params, "persistent");
        const char *snapshot = json_text(params, "snapshot"), *other = NULL;
        SCOPED(json_free) cJSON *asked = workspaces_asked(front, workspace);
        uint64_t disk;

        for (unsigned i = 0; i < ELEMENTS(members); i++)
                if (!is_same(asked, members[i], json_get(params, members[i])))
                        other = members[i];
        if (snapshot && strcmp(name_alone(snapshot), workspace->snapshot.name) != 0)
                other = "snapshot";
        if (json_number(persistent, "disk", &disk) == 0 && disk - disk % BLOCK != workspace->bytes)
                other = "disk";
        if (!is_number(persistent, "idle_stop", workspace->idle_usec))
                other = "idle_stop";
        if (!is_number(persistent, "ttl", workspace->ttl_usec))
                other = "ttl";
        if (!other)
                return 0;
        call_refuse(
                call, "exists", "/persistent/name",
                "leave it out, or choose another name; what is there keeps what it was made with");
        return error_say(err, -EEXIST, "workspace %s is there, with another %s", workspace->name,
                         other);
}

int workspace_create(Front *front, Call *call, const cJSON *params, Error *err) {
        const char *name = json_text(json_get(params, "persistent"), "name");
        SCOPED(json_free) cJSON *fresh = NULL;
        WorkspaceRun run = { .call = call, .exec = json_get(params, "exec") };
        Workspace workspace;
        int r;

        if (json_true(params, "work") || json_true(params, "rw")) {
                call_refuse(call, "invalid", "/work", NULL);
                return error_say(
                        err, -EINVAL,
                        "a workspace shows no directory of the caller's: its files are its own");
        }
        run.stays = !run.exec || json_true(params, "keep");
        if (!run.exec && call_n_fds(call) > 0)
                return error_say(err, -EINVAL, "descriptors came that nothing takes");
        r = workspaces_find(front, call_peer(call)->uid, name, &workspace, NULL);
        if (r == 0) {
                r = check_same(front, call, params, &workspace, err);
        } else {
                r = make(front, call, params, &workspace, err);
                if (r < 0)
                        return r;
                run.fresh = fresh = asked_of(front, params, &workspace);
                if (!fresh)
                        return error_set(err, -ENOMEM, "make a workspace");
        }
        if (r < 0)
                return r;
        workspace_run(front, &workspace, &run);
        return 0;
}

/* ---- as JSON ------------------------------------------------------------------------------------- */

static void add_time(cJSON *json, const char *name, uint64_t usec) {
        char text[UNITS_TEXT_MAX];

        json_add_text(json, name, units_format_time(usec, text));
}

static cJSON *describe_disk(const Workspace *workspace, bool runs) {
        cJSON *json = cJSON_CreateObject();

        json_add_text(json, "name", workspace->name);
        json_add_number(json, "disk", workspace->bytes);
        json_add_number(json, "taken", workspace->taken);
        add_time(json, "used", workspace->used_usec);
        if (workspace->idle_usec)
                json_add_number(json, "idle_stop", workspace->idle_usec);
        if (workspace->ttl_usec)
                json_add_number(json, "ttl", workspace->ttl_usec);
        if (workspace->ttl_usec && !runs)
                add_time(json, "expires", workspace->used_usec + workspace->ttl_usec);
        return json;
}

cJSON *workspace_describe(const Workspace *workspace) {
        static const char *const states[] = { "making", "stopped", "removing" };
        cJSON *json = cJSON_CreateObject();

        json_add_text(json, "jail", workspace->id);
        json_add_text(json, "state", states[workspace->state]);
        json_add_text(json, "snapshot", workspace->snapshot.name);
        add_time(json, "created", workspace->created_usec);
        json_add_bool(json, "keep", true);
        json_add_number(json, "owner_uid", workspace->owner_uid);
        json_add_number(json, "commands", 0);
        json_add_consume(json, "workspace", describe_disk(workspace, false));
        return json;
}

void workspace_describe_more(Front *front, const FrontJail *jail, cJSON *json) {
        const Workspace *workspace = workspace_of_jail(front, jail);

        if (!workspace || !json)
                return;
        cJSON_DeleteItemFromObjectCaseSensitive(
                json, "created"); /* that of its jail, which each start makes */
        add_time(json, "created", workspace->created_usec);
        json_add_consume(json, "workspace", describe_disk(workspace, true));
}

typedef struct Listing {
        Front *front;
        Paging *paging;
        PagePlace from;
        cJSON *list;
        bool is_full;
} Listing;

static void push_stopped(const Workspace *workspace, void *userdata) {
        Listing *listing = userdata;
        const PagePlace place = { .part = listing->from.part,
                                  .has_place = true,
                                  .number = workspace->row };

        if (!listing->is_full && workspace->row > listing->from.number &&
            !front_jail_find(listing->front, workspace->id, 0))
                listing->is_full = !paging_push_consume(listing->paging, listing->list,
                                                        workspace_describe(workspace), &place, 0);
}

int workspaces_list(Front *front, Call *call, const PageList *page, Error *err) {
        Listing listing = { .front = front, .paging = page->paging, .list = page->list };

        if (!paging_from(page->paging, page->part, &listing.from))
                return 0;
        return workspaces_each(front, call_uid(call), push_stopped, &listing, err);
}

/* ---- methods ------------------------------------------------------------------------------------- */

static int run_start(Front *front, Call *call, const cJSON *params, cJSON **ret_result,
                     Error *err) {
        const WorkspaceRun run = { .call = call, .stays = true };
        Workspace workspace;
        int r = take(front, call, params, &workspace, err);

        (void) ret_result;
        if (r >= 0 && call_peer(call)->uid != workspace.owner_uid) {
                call_refuse(call, "denied", "/jail", NULL);
                r = error_say(err, -EACCES, "a workspace is started by its owner alone");
        }
        if (r >= 0)
                workspace_run(front, &workspace, &run);
        return r;
}

static int run_stop(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err) {
        Workspace workspace;
        int r = take(front, call, params, &workspace, err);

        (void) ret_result;
        if (r >= 0)
                workspace_stop(front, &workspace, call);
        return r;
}

const MethodRow workspace_methods[] = {
        { "jail.start", run_start },
        { "jail.stop", run_stop },
        { NULL, NULL },
};
