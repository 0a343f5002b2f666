/*
 * jail-diff: see jail-diff.h.
 *
 *   paths: warder-files walks the root's upper, then that of /work, and writes to the caller's descriptor; the jail goes on
 *   patch: one directory, by patch-diff.c; the jail stands still, and the patch comes with the answer
 *
 * Paths go past us: there may be millions. Who reads them slowly holds up a jail of its own.
 */
#include "supervisor/front/jails/jail-diff.h"

#include <stdio.h>
#include <string.h>

#include "base/ids.h"
#include "supervisor/front/client-fds.h"
#include "supervisor/front/gate/gate-plan.h"
#include "supervisor/front/gate/patch-diff.h"
#include "supervisor/front/jails/jail-methods.h"
#include "supervisor/front/jails/jail-parts.h"
#include "supervisor/front/jails/jail-refuse.h"
#include "supervisor/front/jails/jail-still.h"

#define DIR_MAX 4096

typedef struct Diffing {
        Front *front;
        Call *call;      /* answered by us */
        uint64_t handle; /* of that very jail */
        JailHold *hold;  /* owned: while a patch waits for it */
        JailDir dir;
        int out;         /* of paths, borrowed from the call */
        uint32_t target; /* of the part that is looked at */
        uint64_t added, modified, deleted;
        PatchDiff *patch;
        char patch_dir[DIR_MAX];
} Diffing;

static Diffing *diffing_free(Diffing *diffing) {
        if (!diffing)
                return NULL;
        jail_hold_free(diffing->hold);
        free(diffing);
        return NULL;
}
DEFINE_SCOPED(Diffing *, diffing_free);

static void fail(Diffing *diffing, const Error *err) {
        SCOPED(diffing_free) Diffing *owned = diffing;

        jail_refuse(owned->front, owned->call, err);
}

/* ---- what is looked at --------------------------------------------------------------------------- */

/* Upper and what lies below it, in the places of changes and diff; @merged: both together, too */
static int add_part(const FrontJail *jail, const JailPart *part, bool merged, Plan *plan,
                    Error *err) {
        unsigned n = part->is_host ? 0 : part->n;

        if (n + 1 > PLAN_LAYERS_MAX - 1)
                return error_say(err, -E2BIG, "the jail stands on too many layers: %u", part->n);
        plan->uid = front_jail_plan(jail)->uid;
        plan->gid = front_jail_plan(jail)->gid;
        plan->layers[0] = jail_part_upper(jail, part);
        memcpy(plan->layers + 1, part->layers, n * sizeof(plan->layers[0]));
        plan->n_layers = n + 1;
        plan->views[plan->n_views++] = (PlanView){ VIEW_UPPER, VIEW_DIRECT, 0, 1 };
        if (n > 0)
                plan->views[plan->n_views++] =
                        (PlanView){ VIEW_OLD, n == 1 ? VIEW_DIRECT : 0, 1, n };
        if (merged)
                plan->views[plan->n_views++] =
                        (PlanView){ VIEW_NEW, n == 0 ? VIEW_DIRECT : 0, 0, n + 1 };
        return 0;
}

/* ---- paths --------------------------------------------------------------------------------------- */

static int look(Diffing *diffing, Error *err);

static void on_record(const Record *record, void *userdata) {
        Diffing *diffing = userdata;

        if (record->head.kind != RECORD_COUNTS)
                return;
        diffing->added += record->head.a >> 32;
        diffing->modified += record->head.a & UINT32_MAX;
        diffing->deleted += record->head.b >> 32;
}

static void answer(Diffing *diffing) {
        SCOPED(diffing_free) Diffing *owned = diffing;
        cJSON *json = cJSON_CreateObject();

        json_add_number(json, "added", owned->added);
        json_add_number(json, "modified", owned->modified);
        json_add_number(json, "deleted", owned->deleted);
        call_answer(owned->call, json, NULL, 0);
}

static void on_looked(const FilesJobEnd *end, void *userdata) {
        Diffing *diffing = userdata;
        const FrontJail *jail = front_jail_by_handle(diffing->front, diffing->handle);
        Error err = ERROR_EMPTY;
        JailPart part;

        if (end->err) {
                fail(diffing, end->err);
                return;
        }
        if (diffing->target == VIEW_WORK || !jail || !jail_part_get(jail, VIEW_WORK, &part)) {
                answer(diffing);
                return;
        }
        diffing->target = VIEW_WORK;
        if (look(diffing, &err) < 0)
                fail(diffing, &err);
}

/* Of warder-files. Where something is mounted on the root, nothing of its upper shows */
static void choose_words(const FrontJail *jail, const JailPart *part, const char **argv) {
        static const char *const covered[] = { "dev", "proc", "run", "tmp", "work" };
        bool has_work = plan_has_view(front_jail_plan(jail), VIEW_WORK);
        unsigned n = 0;

        argv[n++] = "changes";
        if (part->target == VIEW_WORK) {
                argv[n++] = "--prefix";
                argv[n++] = "/work";
        } else {
                for (unsigned i = 0; i < ELEMENTS(covered) - !has_work; i++) {
                        argv[n++] = "--covered";
                        argv[n++] = covered[i];
                }
                if (part->is_host)
                        argv[n++] = "--host";
        }
        argv[n] = NULL;
}

static int look(Diffing *diffing, Error *err) {
        const FrontJail *jail = front_jail_by_handle(diffing->front, diffing->handle);
        bool is_work = diffing->target == VIEW_WORK;
        const char *argv[16];
        FilesJobSpec job = { .argv = argv, .input_fd = -EBADF, .output_fd = diffing->out };
        FilesJob *started;
        JailPart part;
        int r;

        if (!jail || !jail_part_get(jail, diffing->target, &part))
                return error_say(err, -ESRCH, "the jail has ended");
        if (is_work && diffing->dir.n > 0 && !call_client(diffing->call))
                return error_say(err, -ECANCELED, "the client has gone");
        if (is_work) {
                job.fds = diffing->dir.fds;
                job.n_fds = diffing->dir.n;
        }
        choose_words(jail, &part, argv);
        job.owner_uid = front_jail_owner(jail);
        r = gate_files_plan(diffing->front, &job.plan, err);
        if (r >= 0)
                r = add_part(jail, &part, false, &job.plan, err);
        return r < 0 ? r
                     : files_job_start(diffing->front, &job, on_record, on_looked, diffing,
                                       &started, err);
}

/* ---- a patch ------------------------------------------------------------------------------------- */

static void on_patch(PatchDiffEnd *end, void *userdata) {
        SCOPED(diffing_free) Diffing *owned = userdata;
        char text[DIGEST_TEXT_MAX];
        cJSON *json;

        if (end->err) {
                call_fail(owned->call,
                          end->err->code == -EINVAL || end->err->code == -EFBIG ? "limit" : NULL,
                          end->err);
                return;
        }
        json = cJSON_CreateObject();
        json_add_number(json, "bytes", end->bytes);
        json_add_number(json, "paths", end->n_paths);
        json_add_text(json, "digest", digest_format(end->digest, text));
        call_answer(owned->call, json, &end->fd, 1);
}

/* Where a command starts that says nothing of it */
static const char *default_dir(const FrontJail *jail) {
        const char *cwd = json_text(front_jail_image(jail), "cwd");

        if (plan_has_view(front_jail_plan(jail), VIEW_WORK) || !cwd)
                return plan_has_view(front_jail_plan(jail), VIEW_WORK) ? "/work" : "/";
        return cwd;
}

/* The part of the jail that the directory lies in, and the rest of its name there */
static int find_part(const FrontJail *jail, const char *dir, JailPart *ret, const char **ret_rest,
                     Error *err) {
        bool in_work = strncmp(dir, "/work", 5) == 0 && (dir[5] == '\0' || dir[5] == '/');

        if (in_work && jail_changes_dir(jail))
                return error_say(
                        err, -EINVAL,
                        "the jail changes that directory of the host itself: see there what "
                        "changed");
        if (in_work && jail_part_get(jail, VIEW_WORK, ret))
                dir += 5;
        else if (!jail_part_get(jail, VIEW_ROOT, ret))
                return error_say(err, -ESRCH, "the jail has no root of its own");
        dir += strspn(dir, "/");
        *ret_rest = *dir ? dir : ".";
        return 0;
}

/* It stands still, and from here on patch-diff.c wants that */
static int make_patch(Diffing *diffing, FrontJail *jail, Error *err) {
        const char *rest = NULL;
        Plan plan;
        PatchDiffPlan spec = { .jail = jail,
                               .plan = &plan,
                               .owner_uid = front_jail_owner(jail),
                               .done = on_patch,
                               .userdata = diffing };
        JailPart part;
        int r = find_part(jail, diffing->patch_dir, &part, &rest, err);

        if (r >= 0 && part.has_dir && !call_client(diffing->call))
                r = error_say(err, -ECANCELED, "the client has gone");
        if (r >= 0 && part.has_dir) {
                spec.fds = diffing->dir.fds;
                spec.n_fds = diffing->dir.n;
        }
        spec.dir = rest;
        if (r >= 0)
                r = gate_files_plan(diffing->front, &plan, err);
        if (r >= 0)
                r = add_part(jail, &part, true, &plan, err);
        if (r >= 0)
                r = patch_diff_start_plan(diffing->front, &spec, &diffing->patch, err);
        diffing->hold = jail_hold_free(diffing->hold);
        return r;
}

static void on_still(FrontJail *jail, const Error *err, void *userdata) {
        Diffing *diffing = userdata;
        Error own = ERROR_EMPTY;

        if (err)
                own = *err;
        else
                (void) make_patch(diffing, jail, &own);
        if (own.code < 0)
                fail(diffing, &own);
}

static int start_patch(Diffing *diffing, FrontJail *jail, const cJSON *params, Error *err) {
        const char *dir = json_text(params, "dir"), *rest = NULL;
        JailPart part;
        int r;

        (void) snprintf(diffing->patch_dir, sizeof(diffing->patch_dir), "%s",
                        dir ? dir : default_dir(jail));
        r = find_part(jail, diffing->patch_dir, &part, &rest, err);
        if (r < 0) {
                call_refuse(diffing->call, "invalid", "/dir", NULL);
                return r;
        }
        r = jail_hold_new(jail, &diffing->hold, err);
        if (r >= 0)
                r = jail_hold_await(diffing->hold, JAIL_STILL_READ_USEC, on_still, diffing, err);
        return r > 0 ? make_patch(diffing, jail, err) : r;
}

/* ---- the request --------------------------------------------------------------------------------- */

static int take_out(Diffing *diffing, bool has_work, Error *err) {
        int r;

        diffing->out = call_fd(diffing->call, has_work ? 1 : 0);
        r = diffing->out < 0
                    ? error_say(err, -EINVAL, "paths need a descriptor that they are written to")
                    : client_fd_check(&diffing->front->pipes, diffing->out, CLIENT_FD_STDIO, err);
        if (r < 0)
                call_refuse(diffing->call, "invalid", "/format", NULL);
        return r;
}

static int run_diff(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err) {
        FrontJail *jail = jail_find_own(front, call, params, err);
        const char *format = json_text(params, "format");
        bool work = json_true(params, "work"), patch = format && strcmp(format, "patch") == 0;
        SCOPED(diffing_free) Diffing *diffing = calloc(1, sizeof(*diffing));
        int r;

        (void) ret_result;
        if (!jail)
                return err->code;
        if (!diffing)
                return error_set(err, -ENOMEM, "look at a jail");
        *diffing = (Diffing){ .front = front, .call = call, .out = -EBADF, .target = VIEW_ROOT };
        diffing->handle = front_jail_handle(jail);
        if (json_get(params, "dir") && !patch) {
                call_refuse(call, "invalid", "/dir", NULL);
                return error_say(err, -EINVAL,
                                 "\"dir\" is about a patch; paths are of the whole jail");
        }
        r = jail_dir_take(jail, call, work, &diffing->dir, err);
        if (r >= 0 && !patch)
                r = take_out(diffing, work, err);
        if (r >= 0)
                r = patch ? start_patch(diffing, jail, params, err) : look(diffing, err);
        if (r < 0)
                return r;
        (void) TAKE_PTR(diffing);
        return 0;
}

const MethodRow jail_diff_row = { "jail.diff", run_diff };
