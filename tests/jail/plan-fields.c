/*
 * plan-fields: see plan-fields.h.
 */
#include "tests/jail/plan-fields.h"

#include <stddef.h>
#include <string.h>

#include "base/owned.h"

typedef struct Field {
        const char *name;
        size_t at, size, n, step; /* bytes; n elements, step bytes apart */
} Field;

#define ONE(F) \
        { #F, offsetof(Plan, F), sizeof(((Plan *) 0)->F), 1, 0 }
#define LIMIT(F) \
        { "limits." #F, offsetof(Plan, limits.F), sizeof(((PlanLimits *) 0)->F), 1, 0 }
#define VIEW(F)                                                                       \
        {                                                                             \
                "views." #F, offsetof(Plan, views) + offsetof(PlanView, F),           \
                        sizeof(((PlanView *) 0)->F), PLAN_VIEWS_MAX, sizeof(PlanView) \
        }
#define LAYER(F)                                                                         \
        {                                                                                \
                "layers." #F, offsetof(Plan, layers) + offsetof(PlanLayer, F),           \
                        sizeof(((PlanLayer *) 0)->F), PLAN_LAYERS_MAX, sizeof(PlanLayer) \
        }

static const Field fields[] = {
        ONE(version),
        ONE(flags),
        ONE(uid),
        ONE(gid),
        ONE(n_layers),
        ONE(n_views),
        ONE(n_fds),
        ONE(pad),
        LIMIT(memory_bytes),
        LIMIT(disk_bytes),
        LIMIT(inodes),
        LIMIT(pids),
        LIMIT(cpu_permille),
        { "hostname", offsetof(Plan, hostname), 1, PLAN_HOSTNAME_MAX, 1 },
        VIEW(target),
        VIEW(flags),
        VIEW(first),
        VIEW(n),
        LAYER(kind),
        LAYER(fd),
        LAYER(conn),
        LAYER(view),
        LAYER(handle),
        { "layers.digest", offsetof(Plan, layers) + offsetof(PlanLayer, digest), 1, PLAN_LAYERS_MAX,
          sizeof(PlanLayer) },
};

/* The same for every field: what is an edge of one is some value of another */
static const uint64_t values[] = {
        0,
        1,
        2,
        3,
        4,
        5,
        7,
        8,
        9,
        '/',
        PLAN_VIEWS_MAX,
        PLAN_VIEWS_MAX + 1,
        PLAN_LAYERS_MAX,
        PLAN_LAYERS_MAX + 1,
        PLAN_USES_MAX + 1,
        255,
        JAIL_INIT_ID - 1,
        JAIL_INIT_ID,
        65535,
        65536,
        65537,
        (1u << 20) - 1,
        1024000,
        1024001,
        (1u << 24) + 1,
        INT32_MAX,
        1u << 31,
        UINT32_MAX - 1,
        UINT32_MAX,
        1ull << 32,
        1ull << 44,
        (1ull << 44) + 1,
        INT64_MAX,
        1ull << 63,
        UINT64_MAX,
};

/* Elements that are there are changed, and the first one behind them. */
static unsigned elements(const Field *field, const Plan *plan) {
        unsigned n = field->step == sizeof(PlanLayer)  ? plan->n_layers + 1
                     : field->step == sizeof(PlanView) ? plan->n_views + 1
                                                       : (unsigned) field->n;

        return n < field->n ? n : (unsigned) field->n;
}

bool plan_mutate(Plan *plan, unsigned k, PlanMutation *ret) {
        for (unsigned f = 0; f < ELEMENTS(fields); f++) {
                const Field *field = &fields[f];
                unsigned here = elements(field, plan) * (unsigned) ELEMENTS(values);

                if (k >= here) {
                        k -= here;
                        continue;
                }
                *ret = (PlanMutation){ field->name, k / ELEMENTS(values),
                                       values[k % ELEMENTS(values)] };
                /* the low bytes: every host that we build for is little-endian, or the value another edge */
                memcpy((char *) plan + field->at + ret->index * field->step, &ret->value,
                       field->size);
                return true;
        }
        return false;
}
