/*
 * jail-parts: see jail-parts.h.
 */
#include "supervisor/front/jails/jail-parts.h"

#include <string.h>

#include "supervisor/front/clients.h"
#include "supervisor/front/jails/jail-methods.h"

#define PART_LAYERS_MAX \
        (PLAN_LAYERS_MAX - 4u) /* what looks at it shows an upper too, and has a root of its own */

static const PlanView *view_of(const FrontJail *jail, uint32_t target) {
        const Plan *plan = front_jail_plan(jail);

        for (unsigned i = 0; i < plan->n_views; i++)
                if (plan->views[i].target == target)
                        return &plan->views[i];
        return NULL;
}

bool jail_part_get(const FrontJail *jail, uint32_t target, JailPart *ret) {
        const PlanView *view = view_of(jail, target);
        const PlanLayer *layers = front_jail_plan(jail)->layers;

        if (!view || (view->flags & VIEW_DIRECT))
                return false;
        *ret = (JailPart){ .target = target, .n = view->n };
        memcpy(ret->layers, layers + view->first, view->n * sizeof(*layers));
        ret->is_host = ret->layers[ret->n - 1].kind == LAYER_SKELETON;
        ret->has_dir = ret->layers[ret->n - 1].kind == LAYER_DIR;
        return true;
}

PlanLayer jail_part_upper(const FrontJail *jail, const JailPart *part) {
        return (PlanLayer){ .kind = LAYER_UPPER,
                            .view = part->target,
                            .handle = front_jail_handle(jail) };
}

bool jail_changes_dir(const FrontJail *jail) {
        const PlanView *view = view_of(jail, VIEW_WORK);

        return view && (view->flags & VIEW_DIRECT);
}

const char *jail_work_word(const FrontJail *jail) {
        JailPart part;

        if (jail_changes_dir(jail))
                return "shared";
        if (!jail_part_get(jail, VIEW_WORK, &part))
                return "root";
        return part.has_dir ? "directory" : "copy";
}

int jail_part_cover(JailPart *part, const uint8_t *digest, Error *err) {
        PlanLayer layer = { .kind = LAYER_STORE };
        unsigned n = 1;

        memcpy(layer.digest, digest, sizeof(layer.digest));
        for (unsigned i = 0; i < part->n;
             i++) /* an overlay takes none twice; the upper one hides all of the other */
                if (part->layers[i].kind != LAYER_STORE ||
                    memcmp(part->layers[i].digest, digest, sizeof(layer.digest)) != 0)
                        part->layers[n++ - 1] = part->layers[i];
        if (n > PART_LAYERS_MAX)
                return error_say(
                        err, -E2BIG,
                        "the jail stands on %u layers, each save and fork adds one, and %u "
                        "are taken: save it, export that as tar, and import it anew",
                        part->n, PART_LAYERS_MAX);
        memmove(part->layers + 1, part->layers, (n - 1) * sizeof(layer));
        part->layers[0] = layer;
        part->n = n;
        return 0;
}

static int refuse_dir(Call *call, Error *err, const char *text) {
        call_refuse(call, "invalid", "/work",
                    "name the directory that the jail was made in: --work DIR, or go there");
        return error_say(err, -EINVAL, "%s", text);
}

int jail_dir_take(const FrontJail *jail, Call *call, bool comes, JailDir *ret, Error *err) {
        Client *client = call_client(call);
        JailPart work;
        int fd = comes ? call_fd(call, 0) : -EBADF;

        *ret = (JailDir){ .n = 0 };
        if (!jail_part_get(jail, VIEW_WORK, &work) || !work.has_dir)
                return 0;
        if (fd < 0)
                return refuse_dir(
                        call, err,
                        "the jail shows a directory of yours at /work, and nobody keeps it "
                        "for you: it must come with the request");
        if (!client_fd_is_directory(fd) || !front_jail_shows(jail, fd))
                return refuse_dir(call, err,
                                  "this is not the directory that the jail shows at /work");
        *ret = (JailDir){ .fds = { fd, client_fd(client) }, .n = 2 };
        return 0;
}

FrontJail *jail_find_own(Front *front, Call *call, const cJSON *params, Error *err) {
        FrontJail *jail = jail_method_find_own(front, call, params, err);

        if (!jail || front_jail_state(jail) == FRONT_JAIL_READY)
                return jail;
        call_refuse(call, "busy", "/jail", NULL);
        error_say(err, -EBUSY, "jail %.16s is being made or has ended", front_jail_id(jail));
        return NULL;
}
