/* red: see red.h. */
#include "supervisor/front/gate/red.h"

#include <stdio.h>
#include <string.h>

#include "supervisor/front/gate/test-groups.h"
#include "supervisor/front/gate/verdict.h"

typedef struct Walk { /* one command in three runs */
        const RedCase *facts;
        Red *red;
        SortedTests base, before, green;
        bool changed; /* the patch changes test files of the base */
        bool cut_off; /* the command's time was used up, or a signal ended it: tests are missing for that reason */
} Walk;

int red_init(Red *red) {
        *red = (Red){ .red = cJSON_CreateArray(),
                      .commands = cJSON_CreateArray(),
                      .not_red = cJSON_CreateArray() };
        if (red->red && red->commands && red->not_red)
                return 0;
        red_deinit(red);
        return -ENOMEM;
}

void red_deinit(Red *red) {
        red->red = json_free(red->red);
        red->commands = json_free(red->commands);
        red->not_red = json_free(red->not_red);
}

static int add_red(Red *red, const char *name) {
        if (red->n_red++ >= VERDICT_NAMES_MAX)
                return 0;
        return json_push_text(red->red, name) ? 0 : -ENOMEM;
}

static int add_not_red(Red *red, const char *name, const char *why) {
        cJSON *one;

        if (red->n_not_red++ >= VERDICT_NAMES_MAX)
                return 0;
        one = json_push_consume(red->not_red, cJSON_CreateObject());
        json_add_text(one, "test", name);
        return json_add_text(one, "why", why) ? 0 : -ENOMEM;
}

/* ---- one test ------------------------------------------------------------------------------------ */

static int judge_new(Walk *walk, const char *name, const TestGroup *before, size_t n) {
        bool any = walk->facts->spec->tdd.any_failure;
        size_t failed = before->live - before->passed;

        if (failed > 0)
                return any || before->broken < failed ? add_red(walk->red, name)
                                                      : add_not_red(walk->red, name, "broken");
        if (before->n < n)
                return any || walk->cut_off ? add_red(walk->red, name)
                                            : add_not_red(walk->red, name, "not_run");
        return add_not_red(walk->red, name, before->passed > 0 ? "passes" : "skipped");
}

/* Which of them the patch changes no runner says: those that pass with its form as they did before are let be */
static int judge_changed(Walk *walk, const char *name, const TestGroup *before, size_t n) {
        bool passes = before->live == before->passed && before->n >= n;

        return passes ? 0 : judge_new(walk, name, before, n);
}

static int walk_names(Walk *walk) {
        const char *name;
        int r = 0;

        while (r == 0 && (name = sorted_tests_next(&walk->green))) {
                TestGroup now = sorted_tests_take(&walk->green, name);
                TestGroup was = sorted_tests_take(&walk->base, name);
                TestGroup before = sorted_tests_take(&walk->before, name);

                if (now.passed == 0)
                        continue;
                if (now.n > was.n)
                        r = judge_new(walk, name, &before, now.n);
                else if (walk->changed)
                        r = judge_changed(walk, name, &before, now.n);
        }
        return r;
}

/* ---- one command --------------------------------------------------------------------------------- */

static bool is_cut_off(const RunCommand *command) {
        return command && (command->cause == CAUSE_WALL_TIMEOUT ||
                           command->cause == CAUSE_CPU_TIMEOUT || command->cause == CAUSE_SIGNALED);
}

static const RunCommand *find(const RunResult *result, const char *id) {
        return result ? run_command_find(result, id) : NULL;
}

/* One that stands before a command that names tests builds them: where it fails, no test has failed */
static bool is_build(const VerifySpec *spec, const char *id) {
        unsigned i = 0;

        while (i < spec->n_commands && strcmp(spec->commands[i].id, id) != 0)
                i++;
        for (; i < spec->n_commands; i++)
                if (spec->commands[i].parse != PARSE_EXIT)
                        return true;
        return false;
}

/* Nothing but its exit tells of a test */
static int judge_exit(const RedCase *facts, const RunCommand *before, Red *red) {
        if (!before || run_command_is_good(before) || is_build(facts->spec, before->id))
                return 0;
        return json_push_text(red->commands, before->id) ? 0 : -ENOMEM;
}

static int judge_command(const RedCase *facts, const RunCommand *green, Red *red) {
        const RunCommand *before = find(facts->red, green->id);
        Walk walk = { .facts = facts,
                      .red = red,
                      .changed = cJSON_GetArraySize(facts->list->changed_tests) > 0,
                      .cut_off = is_cut_off(before) };
        int r;

        if (green->parse == PARSE_EXIT)
                return judge_exit(facts, before, red);
        r = sorted_tests_init(&walk.green, green);
        if (r == 0)
                r = sorted_tests_init(&walk.base, find(facts->base, green->id));
        if (r == 0)
                r = sorted_tests_init(&walk.before, before);
        if (r == 0)
                r = walk_names(&walk);
        sorted_tests_deinit(&walk.green);
        sorted_tests_deinit(&walk.base);
        sorted_tests_deinit(&walk.before);
        return r;
}

/* Numbers without names ("counts"): more that fail than on the base */
static int judge_counts(const RedCase *facts, const RunCommand *green, Red *red) {
        const RunCommand *before = find(facts->red, green->id),
                         *base = find(facts->base, green->id);

        if (green->n_tests > 0 || green->parse == PARSE_EXIT || !before ||
            before->failed <= (base ? base->failed : 0))
                return 0;
        return json_push_text(red->commands, green->id) ? 0 : -ENOMEM;
}

int red_judge(const RedCase *facts, Red *red) {
        int r = 0;

        for (unsigned i = 0; r == 0 && i < facts->green->n; i++) {
                r = judge_command(facts, &facts->green->commands[i], red);
                if (r == 0)
                        r = judge_counts(facts, &facts->green->commands[i], red);
        }
        return r;
}

/* ---- what it comes to ---------------------------------------------------------------------------- */

bool red_is_good(const Red *red) {
        return red->n_not_red == 0 && (red->n_red > 0 || cJSON_GetArraySize(red->commands) > 0);
}

void red_reason(const Red *red, char *text, size_t size) {
        static const char *const sentences[][2] = {
                { "passes", "passes on the base as well: it does not show what the change is for" },
                { "skipped", "is skipped on the base: it shows nothing there" },
                { "broken",
                  "fails on the base by an import, a syntax error or the like, and not by "
                  "what it asserts: let it run there, or say \"red\": \"any\" in "
                  "\"tdd\" of the verify spec" },
                { "not_run",
                  "does not run on the base: its file may not build or load there, or the "
                  "runner stops at the first failure. Let it run and fail by what it "
                  "asserts, or say \"red\": \"any\" in "
                  "\"tdd\" of the verify spec" },
        };
        const cJSON *first = cJSON_GetArrayItem(red->not_red, 0);
        const char *name = json_text(first, "test"), *why = json_text(first, "why");
        const char *says = "";

        for (unsigned i = 0; why && i < ELEMENTS(sentences); i++)
                if (strcmp(sentences[i][0], why) == 0)
                        says = sentences[i][1];
        if (name)
                (void) snprintf(text, size,
                                "%llu new or changed test(s) are not red; \"%.160s\" %s",
                                (unsigned long long) red->n_not_red, name, says);
        else
                (void) snprintf(text, size,
                                "no new or changed test fails on the base: nothing shows what the "
                                "change is for. Add one that fails without the change");
}

static int add_lost(const RunCommand *base, const RunCommand *old, cJSON *lost) {
        SortedTests was = { 0 }, is = { 0 };
        const char *name;
        int r = sorted_tests_init(&was, base);

        if (r == 0)
                r = sorted_tests_init(&is, old);
        while (r == 0 && (name = sorted_tests_next(&was))) {
                TestGroup before = sorted_tests_take(&was, name);

                if (sorted_tests_take(&is, name).passed < before.passed &&
                    cJSON_GetArraySize(lost) < (int) VERDICT_NAMES_MAX)
                        r = json_push_text(lost, name) ? 0 : -ENOMEM;
        }
        sorted_tests_deinit(&was);
        sorted_tests_deinit(&is);
        return r;
}

int red_old_failing(const RunResult *base, const RunResult *old, cJSON **ret) {
        SCOPED(json_free) cJSON *lost = cJSON_CreateArray();
        int r = lost ? 0 : -ENOMEM;

        for (unsigned i = 0; r == 0 && base && i < base->n; i++) {
                const RunCommand *was = &base->commands[i], *is = find(old, was->id);

                r = add_lost(was, is, lost);
                if (r == 0 && was->n_tests == 0 && was->passed > (is ? is->passed : 0))
                        r = json_push_text(lost, was->id) ? 0 : -ENOMEM;
        }
        for (unsigned i = 0; r == 0 && old && i < old->n; i++)
                if (old->commands[i].parse == PARSE_EXIT && !run_command_is_good(&old->commands[i]))
                        r = json_push_text(lost, old->commands[i].id) ? 0 : -ENOMEM;
        if (r == 0)
                *ret = TAKE_PTR(lost);
        return r;
}

/* ---- hunks --------------------------------------------------------------------------------------- */

/* Returns: 1, 0, -ENOMEM */
static int loses(const RunCommand *green, const RunCommand *without) {
        SortedTests was = { 0 }, is = { 0 };
        int r = sorted_tests_init(&was, green);
        const char *name;

        if (r == 0)
                r = sorted_tests_init(&is, without);
        while (r == 0 && (name = sorted_tests_next(&was))) {
                TestGroup before = sorted_tests_take(&was, name);

                r = sorted_tests_take(&is, name).passed < before.passed;
        }
        sorted_tests_deinit(&was);
        sorted_tests_deinit(&is);
        return r;
}

int red_notices(const RunResult *green, const RunResult *without) {
        int r = 0;

        for (unsigned i = 0; r == 0 && i < green->n; i++) {
                const RunCommand *was = &green->commands[i], *is = find(without, was->id);

                if (!is || (run_command_is_good(was) && !run_command_is_good(is)) ||
                    is->passed < was->passed)
                        return 1;
                r = loses(was, is);
        }
        return r;
}
