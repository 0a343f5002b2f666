/*
 * The verb "verify": the gate without an agent. Base, patch and spec go to the supervisor, a verdict
 * comes back; nothing of the project runs here.
 */
#include "cli/verb-verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/units.h"
#include "cli/events.h"
#include "cli/held.h"
#include "cli/outdir.h"
#include "cli/terminal.h"
#include "cli/user-file.h"
#include "cli/verdict.h"
#include "cli/verify-ask.h"
#include "cli/verify-guess.h"

#define PATCH_MAX  (256ul * 1024 * 1024)
#define EVENTS_MAX (16ul * 1024 * 1024)

static const Option verify_options[] = {
        { "base", 'b', OPTION_TEXT, offsetof(VerifyOptions, base), "REV",
          "Commit that the patch is for (default: HEAD)" },
        OPTIONS_SPEC(offsetof(VerifyOptions, spec)),
        { "snapshot", 's', OPTION_TEXT, offsetof(VerifyOptions, snapshot), "NAME",
          "Root file system (default: $WARDER_SNAPSHOT, else host)" },
        { "policy", 'p', OPTION_TEXT, offsetof(VerifyOptions, policy), "NAME|FILE",
          "Policy of the jails, or a file that tightens one (default: $WARDER_POLICY, else ci)" },
        { "memory", 0, OPTION_SIZE, offsetof(VerifyOptions, memory), "SIZE",
          "Memory of the tests, as 2G" },
        { "pids", 0, OPTION_COUNT, offsetof(VerifyOptions, pids), "N",
          "Processes and threads of the tests" },
        { "out", 'o', OPTION_TEXT, offsetof(VerifyOptions, out), "DIR",
          "Write the verdict, the patch, the receipt, the events and all forms of reports there" },
        OPTIONS_REPORT(offsetof(VerifyOptions, report)),
        { "guess", 0, OPTION_FLAG, offsetof(VerifyOptions, guess), NULL,
          "Propose a spec on stdout, after trying it on the base" },
        { "write", 0, OPTION_FLAG, offsetof(VerifyOptions, write), NULL,
          "With --guess: write it to " SPEC_PATH ", where there is none" },
        OPTIONS_COMMON,
        { 0 },
};

/* Read to its end first: the patch is needed twice, for the verdict and for --out */
static int open_patch(const Repository *repo, const char *name, int *ret_fd, Error *err) {
        return name ? user_file_spool(name, PATCH_MAX, ret_fd, err)
                    : workspace_diff(repo, ret_fd, err);
}

/*
 * A commit's files do not change; how many they are tells whether all of its submodules are there. What "include"
 * adds is of the working tree, and may.
 */
static void name_base(Verifying *self, const PackTotals *totals) {
        char text[256];
        int n = snprintf(text, sizeof(text), "warder base/1 %s %llu %llu", self->repo.commit,
                         (unsigned long long) totals->files, (unsigned long long) totals->bytes);

        if (cJSON_GetArraySize(json_get(self->spec, "include")) == 0)
                (void) sha256_text(text, (size_t) n, self->base_name);
}

static int open_held(Verifying *self, Error *err) {
        autofree char *dir = NULL;
        int r = held_take(&self->options->spec, self->spec, &dir, err);

        return r < 0 || !dir ? r : held_pack(&self->repo, dir, &self->held_fd, err);
}

/* A job that lost its patch on the way would else be told that all is well. */
static void say_if_empty(const Verifying *self) {
        struct stat st;

        if (fstat(self->patch_fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0)
                terminal_say("The patch is empty: the verdict is about the base alone.");
}

static int prepare(Verifying *self, const char *patch, Error *err) {
        const char *base = self->options->base ? self->options->base : "HEAD";
        PackTotals totals = { 0 };
        char size[UNITS_TEXT_MAX], files[UNITS_TEXT_MAX];
        int r = workspace_find(".", base, &self->repo, err);

        if (r == -EREMOTEIO && self->options->base) /* git knows no such revision */
                return VERB_E_USAGE;
        if (r == 0)
                r = spec_load(&self->options->spec, &self->repo, true, &self->spec, err);
        if (r == 0)
                r = open_held(self, err);
        if (r == 0)
                r = open_patch(&self->repo, patch, &self->patch_fd, err);
        if (r == 0)
                r = workspace_pack_commit(&self->repo, self->spec, &self->base_fd, &totals, err);
        if (r != 0)
                return r;
        name_base(self, &totals);
        say_if_empty(self);
        if (!self->options->common.json)
                fprintf(stderr, "base %.12s, %s, %s; patch: %s\n", self->repo.commit,
                        units_format_count(totals.files, "file", files),
                        units_format_size(totals.bytes, size),
                        patch ? (strcmp(patch, "-") == 0 ? "stdin" : patch)
                              : "the changes in this working tree");
        return 0;
}

static int write_out(Verifying *self, const cJSON *verdict, const ReportFiles *reports,
                     Error *err) {
        autofree char *text = cJSON_Print(verdict);
        OutFile files[4 + REPORT_FILES_N] = {
                { "verdict.json", text ? text : "", -EBADF },
                { "patch.diff", NULL, self->patch_fd },
                { "receipt.jsonl", NULL, self->receipt_fd },
                { "events.jsonl", self->events.data ? self->events.data : "", -EBADF },
        };

        if (!self->options->out)
                return 0;
        report_files_list(reports, files + ELEMENTS(files) - REPORT_FILES_N);
        return outdir_write(self->options->out, files, ELEMENTS(files), err);
}

/* Everything that was asked for as a file */
static int write_files(Verifying *self, const cJSON *verdict, Error *err) {
        SCOPED(json_free) cJSON *events = report_events(self->events.data);
        autofree char *patch = NULL;
        Report report = { .verdict = verdict, .events = events, .version = PACKAGE_VERSION };
        ReportFiles files = { 0 };
        size_t n = 0;
        int r;

        if (!report_wanted(&self->options->report, self->options->out))
                return 0;
        if (lseek(self->patch_fd, 0, SEEK_SET) < 0 ||
            fd_read_all(self->patch_fd, PATCH_MAX, &patch, &n) < 0)
                return error_set(err, -EIO, "read the patch for the report");
        report.patch = patch;
        r = report_make(&report, &files, err);
        if (r == 0)
                r = write_out(self, verdict, &files, err);
        if (r == 0)
                r = report_save(&self->options->report, &files, err);
        report_files_deinit(&files);
        return r;
}

static int show(Verifying *self, const cJSON *verdict, Error *err) {
        int r;

        verify_event(self, "verify.end", verdict);
        r = write_files(self, verdict, err);
        if (self->options->common.json)
                events_print("verify.end", cJSON_Duplicate(verdict, true));
        else
                verdict_show(stderr, verdict);
        return r < 0 ? r : verdict_exit_code(verdict);
}

static int check_words(const VerbCall *call, const VerifyOptions *options, Error *err) {
        const SpecOptions *spec = &options->spec;

        if (call->n_words > 1)
                (void) error_say(err, -EINVAL, "Give one patch, '-' for stdin, or none.");
        else if (options->guess &&
                 (call->n_words > 0 || report_wanted(&options->report, options->out) ||
                  spec->spec || spec->run.n))
                (void) error_say(err, -EINVAL,
                                 "--guess looks at the base alone: give it no patch, --spec, "
                                 "--run, --out or "
                                 "report.");
        else if (options->write && !options->guess)
                (void) error_say(err, -EINVAL, "--write goes with --guess.");
        else
                return 0;
        return VERB_E_USAGE;
}

static int judge(Verifying *self, const char *patch, Error *err) {
        SCOPED(json_free) cJSON *verdict = NULL;
        int r = prepare(self, patch, err);

        if (r == 0 && self->options->out)
                r = outdir_make(self->options->out, err);
        if (r == 0)
                r = report_check(&self->options->report, err);
        if (r == 0)
                r = verify_ask(self, &verdict, err);
        return r == 0 ? show(self, verdict, err) : r;
}

static int run(const VerbCall *call, Error *err) {
        const VerifyOptions *options = call->options;
        Verifying self = { .options = options,
                           .base_fd = -EBADF,
                           .patch_fd = -EBADF,
                           .receipt_fd = -EBADF,
                           .held_fd = -EBADF,
                           .events = BUF_EMPTY(EVENTS_MAX) };
        int r = check_words(call, options, err);

        if (r == 0)
                r = options->guess ? verify_guess(&self, err)
                                   : judge(&self, call->n_words == 1 ? call->words[0] : NULL, err);
        (void) json_free(self.spec);
        buf_deinit(&self.events);
        owned_close(&self.base_fd);
        owned_close(&self.patch_fd);
        owned_close(&self.receipt_fd);
        owned_close(&self.held_fd);
        return r;
}

const Verb verb_verify = {
        .name = "verify",
        .summary = "a verdict for a patch, by the project's own tests",
        .synopsis = "[OPTION…] [PATCH|-]",
        .text = "Applies the patch to a commit and runs the tests of the verify spec, each in a "
                "fresh\n"
                "jail. Without PATCH: the changes in this working tree, untracked files included. "
                "A\n"
                "patch that changes protected files is 'tampered', whatever its tests say.",
        .examples = "  warder verify fix.patch\n"
                    "  warder verify --run 'make check' --parse tap --protect 'tests/**'\n"
                    "  warder verify --tdd --held ../held-tests fix.patch\n"
                    "  warder verify --guess --write",
        .exits = EXITS_VERDICT,
        .options = verify_options,
        .size = sizeof(VerifyOptions),
        .exit_usage = EXIT_USAGE,
        .exit_failed = EXIT_NOT_CARRIED_OUT,
        .run = run,
};
