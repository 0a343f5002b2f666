/*
 * sleep-step: the moment at which it ends is noted before the wait, so that a run that is taken up again
 * waits for the rest only. The clock is that of the wall: it goes on while nobody runs.
 */
#include "agent/workflow/sleep-step.h"

#include "agent/workflow/loader.h"
#include "base/units.h"

static int take_until(Engine *engine, uint64_t usec, uint64_t *ret_until, Error *err) {
        SCOPED(json_free) cJSON *noted = engine_noted(engine, "until");

        if (cJSON_IsNumber(noted) && noted->valuedouble >= 0) {
                *ret_until = (uint64_t) noted->valuedouble;
                return 0;
        }
        json_free(noted);
        *ret_until = units_now() + usec;
        noted = cJSON_CreateNumber((double) *ret_until);
        return noted ? engine_note(engine, "until", noted, err) : engine_no_memory(engine, err);
}

int sleep_step_load(Loader *loader, const cJSON *json, const char *path, Step *step, Error *err) {
        uint64_t *usec = calloc(1, sizeof(*usec));
        int r;

        (void) loader;
        if (!usec)
                return error_set(err, -ENOMEM, "%s", path);
        step->own = usec;
        r = loader_duration(json, "sleep", path, usec, err);
        if (r < 0)
                return r;
        if (*usec > SLEEP_MAX_USEC)
                return workflow_fault(err, path, "sleep", "it sleeps for 30 days at most");
        return 0;
}

void sleep_step_unload(Step *step) {
        free(step->own);
        step->own = NULL;
}

int sleep_step_run(Engine *engine, const Step *step, cJSON **ret_output, Error *err) {
        const uint64_t *usec = step->own;
        char text[UNITS_TEXT_MAX];
        uint64_t until = 0, now;
        int r;

        r = take_until(engine, *usec, &until, err);
        if (r < 0)
                return r;
        now = units_now();
        r = until > now ? engine_pause(engine, until - now, err) : 0;
        if (r < 0)
                return r;
        *ret_output = cJSON_CreateObject();
        return json_add_text(*ret_output, "until", units_format_time(until, text))
                       ? 0
                       : engine_no_memory(engine, err);
}
