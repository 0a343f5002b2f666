/*
 * plan: plans as a hostile front sends them to the monitor. Input: edits of a good plan, each an offset and a
 * word, so that the corpus outlives a change of the struct. What is accepted keeps every bound that the
 * monitor's code relies on.
 */
#include "sandbox/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/owned.h"
#include "tests/fuzz/fuzz.h"

#define EDIT 6 /* two bytes of offset, four of value */

static void must(bool good) {
        if (!good)
                abort();
}

static void make_good(Plan *plan) {
        *plan = (Plan){ .version = PLAN_VERSION,
                        .uid = JAIL_USER_ID,
                        .gid = JAIL_USER_ID,
                        .n_layers = 3,
                        .n_views = 2,
                        .n_fds = 3,
                        .limits = { .memory_bytes = 1 << 30,
                                    .disk_bytes = 1 << 28,
                                    .inodes = 10000,
                                    .pids = 100,
                                    .cpu_permille = 1000 },
                        .hostname = "jail",
                        .views = { { VIEW_ROOT, VIEW_WRITABLE, 0, 2 },
                                   { VIEW_WORK, VIEW_DIRECT | VIEW_WRITABLE, 2, 1 } },
                        .layers = { { .kind = LAYER_UPPER, .handle = 1 },
                                    { .kind = LAYER_STORE },
                                    { .kind = LAYER_DIR, .fd = 1, .conn = 2 } } };
        must(plan_check(plan, NULL) == 0);
}

static void check_view(const Plan *plan, const PlanView *view) {
        must(plan_view_path(view->target) != NULL);
        must(view->n > 0 && view->first < plan->n_layers &&
             view->n <= plan->n_layers - view->first);
        must(!(view->flags & VIEW_DIRECT) || (view->n == 1 && view->target != VIEW_ROOT));
}

static void check_accepted(const Plan *plan) {
        uint32_t i;

        must(plan->n_layers > 0 && plan->n_layers <= PLAN_LAYERS_MAX);
        must(plan->n_views > 0 && plan->n_views <= PLAN_VIEWS_MAX);
        must(plan->n_fds > 0 && plan->n_fds <= PLAN_FDS_MAX);
        must(plan->uid < JAIL_INIT_ID && plan->gid < JAIL_INIT_ID);
        must(memchr(plan->hostname, 0, sizeof(plan->hostname)) != NULL);
        must(plan->limits.memory_bytes && plan->limits.pids && plan->limits.disk_bytes);
        must(plan->views[0].target == VIEW_ROOT && !plan_layer_changes(plan, plan->views[0].first));
        for (i = 0; i < plan->n_views; i++)
                check_view(plan, &plan->views[i]);
        for (i = 0; i < plan->n_layers; i++) {
                const PlanLayer *layer = &plan->layers[i];

                must(layer->kind > 0 && layer->kind < _LAYER_KIND_MAX);
                must(layer->fd < plan->n_fds && layer->conn < plan->n_fds);
                must(!plan_layer_changes(plan, i) || layer->kind == LAYER_NEW ||
                     layer->kind == LAYER_DIR);
        }
        (void) plan_is_shared(plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        CommandLimits command = { 0 };
        Error err = ERROR_EMPTY;
        Plan plan;

        make_good(&plan);
        for (; n >= EDIT; data += EDIT, n -= EDIT) {
                size_t at = (size_t) (data[0] << 8 | data[1]) % (sizeof(plan) - 4);

                memcpy((char *) &plan + at, data + 2, 4);
        }
        if (plan_check(&plan, &err) == 0)
                check_accepted(&plan);
        else
                must(err.text[0]);
        memcpy(&command, &plan.limits, sizeof(command));
        if (plan_check_command(&command, NULL) == 0)
                must(command.memory_bytes >= COMMAND_MEMORY_MIN || command.pids > 0);
        return 0;
}
