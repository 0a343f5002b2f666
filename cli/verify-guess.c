/*
 * verify-guess: see verify-guess.h. A guess is run twice on the base, without any patch: tests that do not tell
 * the same both times are worth knowing before a verdict hangs on them.
 */
#include "cli/verify-guess.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/units.h"
#include "cli/events.h"
#include "cli/guess.h"
#include "cli/terminal.h"
#include "cli/verdict.h"
#include "cli/workdir.h"

static uint64_t number_at(const cJSON *json, const char *pointer) {
        const cJSON *value = json_at(json, pointer);

        return cJSON_IsNumber(value) && value->valuedouble > 0 ? (uint64_t) value->valuedouble : 0;
}

static uint64_t wall_of(const cJSON *verdict) {
        const cJSON *command;
        uint64_t wall = 0, one;

        cJSON_ArrayForEach(command, json_get(verdict, "commands")) {
                one = 0;
                (void) json_number(command, "wall_usec", &one);
                wall += one;
        }
        return wall;
}

/* Tests were named or counted; or there is nothing to read, and every command ended well */
static bool is_useful(const cJSON *spec, const cJSON *verdict) {
        const cJSON *commands = json_get(spec, "commands");
        const cJSON *last = cJSON_GetArrayItem(commands, cJSON_GetArraySize(commands) - 1);
        const char *form = json_text(last, "parse"), *kind = json_text(verdict, "verdict");

        if (form && strcmp(form, "exit") == 0)
                return kind && strcmp(kind, "passed") == 0;
        return number_at(verdict, "/tests/run") > 0;
}

static int try_spec(Verifying *self, const cJSON *spec, cJSON **ret_verdict, Error *err) {
        cJSON *reruns;

        self->spec = json_free(self->spec);
        self->spec = cJSON_Duplicate(spec, true);
        reruns = json_add_object(self->spec, "reruns");
        json_add_number(reruns, "need", 2);
        if (!json_add_number(reruns, "of", 2))
                return error_set(err, -ENOMEM, "try a verify spec");
        if (lseek(self->base_fd, 0, SEEK_SET) < 0 || lseek(self->patch_fd, 0, SEEK_SET) < 0)
                return error_set(err, -errno, "rewind the base");
        return verify_ask(self, ret_verdict, err);
}

static void say_found(const char *kind, const cJSON *verdict) {
        char wall[UNITS_TEXT_MAX];
        int flaky = cJSON_GetArraySize(json_get(verdict, "flaky"));

        fprintf(stderr, "%s: %llu tests, %llu pass, %llu fail, %llu are skipped; %s a run\n", kind,
                (unsigned long long) (number_at(verdict, "/tests/run") +
                                      number_at(verdict, "/tests/skipped")),
                (unsigned long long) number_at(verdict, "/tests/passed"),
                (unsigned long long) number_at(verdict, "/tests/failed"),
                (unsigned long long) number_at(verdict, "/tests/skipped"),
                units_format_duration(wall_of(verdict), wall));
        if (flaky > 0)
                fprintf(stderr, "%d of them fail only sometimes: think of \"reruns\"\n", flaky);
        if (number_at(verdict, "/tests/failed") > 0)
                fputs("Tests fail on the base: name those that a change must mend in \"expect\" "
                      "(--expect TEST).\n",
                      stderr);
        fputs("Protected are tests and the files that say how they run (make's and npm's too); a "
              "change that must touch one needs \"allow\" (--allow GLOB).\n",
              stderr);
}

static int show_found(const Verifying *self, const char *kind, const cJSON *spec,
                      const cJSON *verdict, Error *err) {
        autofree char *text = NULL;
        cJSON *event;

        if (self->options->common.json) {
                event = cJSON_CreateObject();
                json_add_text(event, "kind", kind);
                json_add_consume(event, "spec", cJSON_Duplicate(spec, true));
                json_add_consume(event, "verdict", cJSON_Duplicate(verdict, true));
                events_print("verify.guess", event);
                return 0;
        }
        text = cJSON_Print(spec);
        if (!text)
                return error_set(err, -ENOMEM, "print the verify spec");
        say_found(kind, verdict);
        puts(text);
        return 0;
}

static int try_all(Verifying *self, const char *kind, const cJSON *specs, Error *err) {
        SCOPED(json_free) cJSON *verdict = NULL;
        const cJSON *spec;

        cJSON_ArrayForEach(spec, specs) {
                int r;

                verdict = json_free(verdict);
                r = try_spec(self, spec, &verdict, err);
                if (r != 0)
                        return r;
                if (is_useful(spec, verdict))
                        return show_found(self, kind, spec, verdict, err);
        }
        if (!self->options->common.json)
                verdict_show(verdict);
        (void) error_say(
                err, -EREMOTEIO,
                "This looks like a project of %s, but its tests do not run, or are not told in "
                "a form that is known. Write " SPEC_PATH ", see warder-verify(5).",
                kind);
        return EXIT_NOT_VERIFIED;
}

int verify_guess(Verifying *self, Error *err) {
        const char *base = self->options->base ? self->options->base : "HEAD", *kind = NULL;
        SCOPED(json_free) cJSON *specs = NULL;
        PackTotals totals = { 0 };
        int r = workspace_find(".", base, &self->repo, err);

        if (r == 0)
                r = guess_specs(&self->repo, &kind, &specs, err);
        if (r == 0)
                r = workspace_pack_commit(&self->repo, cJSON_GetArrayItem(specs, 0), &self->base_fd,
                                          &totals, err);
        if (r < 0)
                return r;
        self->patch_fd = spool_new(err);
        return self->patch_fd < 0 ? self->patch_fd : try_all(self, kind, specs, err);
}
