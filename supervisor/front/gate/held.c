/*
 * held: see held.h.
 *
 * The reason of the verdict and its text hold numbers alone: an agent reads them. A task's agent may ask often, as
 * its budget allows, and learns one bit each time; what it would need to write to the tests, it never learns.
 */
#include "supervisor/front/gate/held.h"

#include <string.h>

#include "base/escape.h"

#define OUTPUT_MAX 3000

struct Held {
        Front *front; /* borrowed */
        HeldSpec spec;
        SpecRun *run; /* owned */
};

static const char *output_of(const RunResult *run) {
        for (unsigned i = 0; i < run->n; i++)
                if (!run_command_is_good(&run->commands[i]) && run->commands[i].output)
                        return run->commands[i].output;
        return NULL;
}

/* Its last lines, for the person */
static void add_output(cJSON *json, const RunResult *run) {
        const char *text = output_of(run);
        size_t n = text ? strlen(text) : 0;
        autobuf Buf buf = BUF_EMPTY(4 * OUTPUT_MAX);

        if (n > OUTPUT_MAX)
                text += n - OUTPUT_MAX;
        while (text && ((unsigned char) *text & 0xc0) == 0x80)
                text++;
        if (text && escape_text(&buf, text, strlen(text), 1) >= 0) {
                autofree char *shown = buf_take(&buf);

                json_add_text(json, "output", shown ? shown : "");
        }
}

static uint64_t count_tests(const RunResult *result) {
        uint64_t n = 0;

        for (unsigned i = 0; i < result->n; i++)
                n += result->commands[i].passed + result->commands[i].failed;
        return n;
}

static cJSON *member_of(const Held *held, const Verdict *found, const RunResult *run) {
        SCOPED(json_free) cJSON *json = cJSON_CreateObject();
        uint64_t now = count_tests(run), before = count_tests(held->spec.green);
        char digest[DIGEST_TEXT_MAX];

        json_add_text(json, "tests_digest", digest_format(held->spec.ground->base->held, digest));
        json_add_text(json, "verdict", verdict_name(found->kind));
        if (found->cause[0])
                json_add_text(json, "cause", found->cause);
        json_add_text(json, "reason", found->reason);
        json_add_number(json, "run", now);
        json_add_number(json, "more", now > before ? now - before : 0);
        json_add_number(json, "failed", found->tests.failed);
        add_output(json, run);
        return json_add_consume(json, "failing", cJSON_Duplicate(found->failing, true))
                       ? TAKE_PTR(json)
                       : NULL;
}

static void judge(Verdict *verdict, const Verdict *found) {
        if (found->kind == VERDICT_PASSED)
                return;
        if (found->kind == VERDICT_ERROR)
                verdict_say(verdict, VERDICT_ERROR, found->cause,
                            "with the held-back tests: a command could not be carried out (%s)",
                            found->cause);
        else if (found->tests.failed > 0)
                verdict_say(verdict, VERDICT_FAILED, "overfitted",
                            "overfitted: all known tests pass, but %llu of %llu fail when tests "
                            "that were held back run as well: mend what was asked for, in general",
                            (unsigned long long) found->tests.failed,
                            (unsigned long long) found->tests.run);
        else
                verdict_say(verdict, VERDICT_FAILED, "overfitted",
                            "overfitted: all known tests pass, but not when tests that were held "
                            "back run as well: mend what was asked for, in general");
}

/* Tests of the base may be replaced by held-back ones, so none is missed; what may fail as before is known by them */
static int judge_run(Held *held, const RunResult *run) {
        const HeldSpec *spec = &held->spec;
        VerdictCase facts = { .spec = spec->ground->spec,
                              .base = spec->ground->spec->n_expect > 0 ? spec->base : NULL,
                              .run = run,
                              .touched = spec->touched };
        Verdict found;
        int r = verdict_init(&found);

        if (r < 0)
                return r;
        r = verdict_judge(&found, &facts);
        if (r == 0) {
                spec->verdict->held = member_of(held, &found, run);
                r = spec->verdict->held ? 0 : -ENOMEM;
        }
        if (r == 0)
                judge(spec->verdict, &found);
        verdict_deinit(&found);
        return r;
}

static void on_command(const char *id, const RunCommand *run, void *userdata) {
        const Held *held = userdata;

        (void) id;
        trial_tell(held->spec.ground, "held_results", run);
}

static void on_run(const SpecRunEnd *end, void *userdata) {
        autofree Held *held = userdata;
        SCOPED(run_result_free) RunResult *result = end->result;
        Error err = ERROR_EMPTY;

        held->run = NULL;
        if (end->err)
                err = *end->err;
        else if (judge_run(held, result) < 0)
                error_set(&err, -ENOMEM, "judge the held-back tests");
        held->spec.done(err.code ? &err : NULL, held->spec.userdata);
}

int held_start(Front *front, const HeldSpec *spec, Held **ret, Error *err) {
        autofree Held *held = calloc(1, sizeof(*held));
        const TrialGround *ground = spec->ground;
        GateLayers layers = shield_layers(ground->shield, ground->base, true);
        SpecRunSpec run = { .root = { .snapshot = ground->snapshot,
                                      .policy = ground->policy,
                                      .limits = ground->limits,
                                      .meter = ground->meter,
                                      .layers = &layers,
                                      .upper = spec->upper,
                                      .over = ground->base->held,
                                      .owner_uid = ground->owner_uid },
                            .commands = ground->spec->commands,
                            .n = ground->spec->n_commands,
                            .event = on_command,
                            .done = on_run };
        int r;

        if (!held)
                return error_set(err, -ENOMEM, "run the held-back tests");
        *held = (Held){ .front = front, .spec = *spec };
        run.userdata = held;
        r = spec_run_start(front, &run, &held->run, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(held);
        return 0;
}

Held *held_cancel(Held *held) {
        if (!held)
                return NULL;
        spec_run_cancel(held->run);
        free(held);
        return NULL;
}
