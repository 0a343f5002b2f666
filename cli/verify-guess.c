/*
 * verify-guess: see verify-guess.h. A guess is run twice on the base, without any patch: tests that do not tell
 * the same both times are worth knowing before a verdict hangs on them.
 */
#include "cli/verify-guess.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "base/units.h"
#include "cli/as-user.h"
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

/* What else its command does fails on the base: no patch would ever pass */
static bool can_never_pass(const cJSON *verdict) {
        const char *cause = json_text(verdict, "cause");

        return cause && strcmp(cause, "command_failed") == 0;
}

/* Tests were named or counted and some pass; or there is nothing to read, and every command ended well */
static bool is_useful(const cJSON *spec, const cJSON *verdict) {
        const cJSON *commands = json_get(spec, "commands");
        const cJSON *last = cJSON_GetArrayItem(commands, cJSON_GetArraySize(commands) - 1);
        const char *form = json_text(last, "parse"), *kind = json_text(verdict, "verdict");

        if (form && strcmp(form, "exit") == 0)
                return kind && strcmp(kind, "passed") == 0;
        return number_at(verdict, "/tests/passed") > 0 && !can_never_pass(verdict);
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

/* A runner that ends well whatever its tests do would make every patch pass */
static void say_silent(const char *kind, const cJSON *verdict) {
        char wall[UNITS_TEXT_MAX];

        fprintf(stderr,
                "%s: names and counts no test in a form that is known; %s a run. Only its exit "
                "code "
                "counts: make sure\nthat it is not 0 when a test fails; what a patch removes or "
                "skips "
                "is not seen.\n",
                kind, units_format_duration(wall_of(verdict), wall));
}

static void say_tests(const char *kind, const cJSON *verdict) {
        char wall[UNITS_TEXT_MAX], tests[UNITS_TEXT_MAX];
        int flaky = cJSON_GetArraySize(json_get(verdict, "flaky"));
        uint64_t run = number_at(verdict, "/tests/run") + number_at(verdict, "/tests/skipped");

        fprintf(stderr, "%s: %s, %llu pass, %llu fail, %llu are skipped; %s a run\n", kind,
                units_format_count(run, "test", tests),
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
}

static void say_found(const char *kind, const cJSON *verdict) {
        if (number_at(verdict, "/tests/run") > 0)
                say_tests(kind, verdict);
        else
                say_silent(kind, verdict);
        fputs("Protected are tests and the files that say how they run (make's and npm's too); a "
              "change that must touch one needs \"allow\" (--allow GLOB).\n",
              stderr);
}

typedef struct WriteArg {
        const char *top;
        const char *text;
} WriteArg;

static int write_in_child(void *arg, void *result, Error *err) {
        const WriteArg *job = arg;
        autoclose int top = open(job->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -EBADF;
        int r;

        (void) result;
        if (top < 0)
                return error_set(err, -errno, "open %s", job->top);
        if (mkdirat(top, SPEC_DIR, 0755) < 0 && errno != EEXIST)
                return error_set(err, -errno, "make the directory " SPEC_DIR);
        fd = openat(top, SPEC_PATH, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
        r = fd < 0 ? -errno : fd_write_all(fd, job->text, strlen(job->text));
        return r < 0 ? error_set(err, r, "make " SPEC_PATH) : 0;
}

/* As the user, and never over one that is there */
static int write_spec(const Verifying *self, const char *text, Error *err) {
        WriteArg arg = { self->repo.top, text };
        UserJob job = { .run = write_in_child, .arg = &arg };
        int r = as_user_call(&self->repo.user, &job, err);

        if (r == 0)
                fputs("Written to " SPEC_PATH ": look at it, and commit it.\n", stderr);
        return r;
}

static int show_found(const Verifying *self, const char *kind, const cJSON *spec,
                      const cJSON *verdict, Error *err) {
        autofree char *text = NULL;
        cJSON *event;

        if (self->options->common.json && !self->options->write) {
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
        if (self->options->write)
                return write_spec(self, text, err);
        puts(text);
        return 0;
}

/* Why this kind is none: it may be worth more than the one that is found in the end */
static void say_passed_over(const Verifying *self, const char *kind, const cJSON *verdict) {
        const char *reason = json_text(verdict, "reason");

        if (self->options->common.json)
                return;
        fprintf(stderr, "%s: no: ", kind);
        terminal_text(stderr, reason ? reason : "nothing is told", 400);
        fputc('\n', stderr);
}

typedef struct Trial { /* the most telling of those that are of no use */
        const char *kind;
        cJSON *verdict; /* owned */
        bool shown;     /* another one was of use */
} Trial;

/* What ran without any success tells more than what did not run, and the first kind more than the next */
static void keep_telling(Trial *trial, const char *kind, cJSON **verdict) {
        bool runs = number_at(trial->verdict, "/tests/run") > 0;

        if (trial->verdict && (runs || number_at(*verdict, "/tests/run") == 0))
                return;
        (void) json_free(trial->verdict);
        trial->kind = kind;
        trial->verdict = TAKE_PTR(*verdict);
}

/* Each kind has ignored files of its own that it needs */
static int pack_for(Verifying *self, const cJSON *spec, Error *err) {
        PackTotals totals = { 0 };

        owned_close(&self->base_fd);
        return workspace_pack_commit(&self->repo, spec, &self->base_fd, &totals, err);
}

static int try_one(Verifying *self, const cJSON *guess, Trial *trial, Error *err) {
        const char *kind = json_text(guess, "kind");
        const cJSON *spec = json_get(guess, "spec");
        bool is_first = !guess->prev->next || strcmp(json_text(guess->prev, "kind"), kind) != 0;
        bool is_last = !guess->next || strcmp(json_text(guess->next, "kind"), kind) != 0;
        SCOPED(json_free) cJSON *verdict = NULL;
        int r = is_first ? pack_for(self, spec, err) : 0;

        if (r == 0)
                r = try_spec(self, spec, &verdict, err);
        if (r != 0)
                return r;
        trial->shown = is_useful(spec, verdict);
        if (trial->shown)
                return show_found(self, kind, spec, verdict, err);
        if (is_last)
                say_passed_over(self, kind, verdict);
        keep_telling(trial, kind, &verdict);
        return 0;
}

static const char *why_none(const cJSON *verdict) {
        if (can_never_pass(verdict) && number_at(verdict, "/tests/passed") > 0)
                return "its tests pass and their command fails all the same, so that no change "
                       "could "
                       "ever pass: name a command that runs the tests and nothing else (npm runs "
                       "\"posttest\" after them)";
        if (number_at(verdict, "/tests/run") > 0)
                return "none of its tests passes here: they may need something that is not in the "
                       "commit (\"include\"), not in the snapshot, or found by a variable";
        return "its tests do not run, or are not told in a form that is known";
}

static int try_all(Verifying *self, const cJSON *guesses, Error *err) {
        Trial trial = { 0 };
        const cJSON *guess;
        int r = 0;

        cJSON_ArrayForEach(guess, guesses) {
                if (r == 0 && !trial.shown)
                        r = try_one(self, guess, &trial, err);
        }
        if (r == 0 && !trial.shown) {
                if (!self->options->common.json)
                        verdict_show(stderr, trial.verdict);
                r = EXIT_NOT_VERIFIED;
                (void) error_say(err, -EREMOTEIO,
                                 "This looks like a project of %s, but %s. Write " SPEC_PATH
                                 ", see warder-verify(5).",
                                 trial.kind, why_none(trial.verdict));
        }
        (void) json_free(trial.verdict);
        return r;
}

int verify_guess(Verifying *self, Error *err) {
        const char *base = self->options->base ? self->options->base : "HEAD";
        SCOPED(json_free) cJSON *guesses = NULL;
        int r = workspace_find(".", base, &self->repo, err);

        if (r == -EREMOTEIO && self->options->base) /* git knows no such revision */
                return VERB_E_USAGE;
        if (r == 0)
                r = guess_specs(&self->repo, &guesses, err);
        if (r < 0)
                return r;
        self->patch_fd = spool_new(err);
        return self->patch_fd < 0 ? self->patch_fd : try_all(self, guesses, err);
}
