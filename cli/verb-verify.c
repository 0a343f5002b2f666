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

#include "base/buf.h"
#include "base/fds.h"
#include "base/units.h"
#include "cli/events.h"
#include "cli/link.h"
#include "cli/outdir.h"
#include "cli/own-policy.h"
#include "cli/spec.h"
#include "cli/terminal.h"
#include "cli/user-file.h"
#include "cli/verdict.h"

#define PATCH_MAX  (256ul * 1024 * 1024)
#define EVENTS_MAX (16ul * 1024 * 1024)

typedef struct VerifyOptions {
        Common common;
        SpecOptions spec;
        const char *base;
        const char *snapshot;
        const char *policy;
        const char *out;
        uint64_t memory;
        uint64_t pids;
} VerifyOptions;

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
          "Write verdict.json, patch.diff and events.jsonl there" },
        OPTIONS_COMMON,
        { 0 },
};

typedef struct Verifying {
        const VerifyOptions *options;
        Repository repo;
        cJSON *spec;  /* owned */
        int base_fd;  /* owned */
        int patch_fd; /* owned, at its start */
        Buf events;   /* lines, for --out */
} Verifying;

static void on_note(Link *link, const char *method, const cJSON *params, void *userdata) {
        Verifying *self = userdata;
        autofree char *line = NULL;

        (void) link;
        if (strcmp(method, "verify.event") != 0)
                return;
        line = json_print(params);
        if (line)
                (void) buf_printf(&self->events, "%s\n", line);
        if (self->options->common.json) {
                events_print(method, cJSON_Duplicate(params, true));
        } else {
                fprintf(stderr, "%s  ", terminal_tone(TONE_DIM));
                terminal_text(stderr, json_text(params, "phase"), 32);
                fputs(json_text(params, "id") ? " " : "", stderr);
                terminal_text(stderr, json_text(params, "id"), 64);
                fprintf(stderr, "%s\n", terminal_tone(TONE_PLAIN));
        }
}

/* Read to its end first: the patch is needed twice, for the verdict and for --out */
static int open_patch(const Repository *repo, const char *name, int *ret_fd, Error *err) {
        return name ? user_file_spool(name, PATCH_MAX, ret_fd, err)
                    : workspace_diff(repo, ret_fd, err);
}

static int prepare(Verifying *self, const char *patch, Error *err) {
        const char *base = self->options->base ? self->options->base : "HEAD";
        PackTotals totals = { 0 };
        char size[UNITS_TEXT_MAX];
        int r = workspace_find(".", base, &self->repo, err);

        if (r == 0)
                r = spec_load(&self->options->spec, &self->repo, true, &self->spec, err);
        if (r == 0)
                r = open_patch(&self->repo, patch, &self->patch_fd, err);
        if (r == 0)
                r = workspace_pack_commit(&self->repo, self->spec, &self->base_fd, &totals, err);
        if (r != 0)
                return r;
        if (!self->options->common.json)
                fprintf(stderr, "base %.12s, %llu files, %s; patch: %s\n", self->repo.commit,
                        (unsigned long long) totals.files, units_format_size(totals.bytes, size),
                        patch ? (strcmp(patch, "-") == 0 ? "stdin" : patch)
                              : "the changes in this working tree");
        return 0;
}

static const char *or_environment(const char *text, const char *name) {
        const char *value = text ? text : getenv(name);

        return value && *value ? value : NULL;
}

static int make_params(Verifying *self, cJSON **ret, Error *err) {
        const VerifyOptions *options = self->options;
        const char *snapshot = or_environment(options->snapshot, "WARDER_SNAPSHOT");
        SCOPED(json_free) cJSON *params = cJSON_CreateObject();
        cJSON *limits;
        int r = own_policy_choose(options->policy, params, err);

        if (r < 0)
                return r;

        json_add_consume(params, "spec", cJSON_Duplicate(self->spec, true));
        if (snapshot)
                json_add_text(params, "snapshot", snapshot);
        if (options->memory || options->pids) {
                limits = json_add_object(params, "limits");
                if (options->memory)
                        json_add_number(limits, "memory", options->memory);
                if (options->pids)
                        json_add_number(limits, "pids", options->pids);
        }
        *ret = TAKE_PTR(params);
        return 0;
}

static int write_out(Verifying *self, const cJSON *verdict, Error *err) {
        autofree char *text = cJSON_Print(verdict);
        const OutFile files[] = {
                { "verdict.json", text ? text : "", -EBADF },
                { "patch.diff", NULL, self->patch_fd },
                { "events.jsonl", self->events.data ? self->events.data : "", -EBADF },
        };

        if (!self->options->out)
                return 0;
        return outdir_write(self->options->out, files, ELEMENTS(files), err);
}

static int show(Verifying *self, const cJSON *verdict, Error *err) {
        int r = write_out(self, verdict, err);

        if (self->options->common.json)
                events_print("verify.end", cJSON_Duplicate(verdict, true));
        else
                verdict_show(verdict);
        return r < 0 ? r : verdict_exit_code(verdict);
}

/* A request that the supervisor finds wrong is wrong usage: the spec, a limit */
static int refusal(const char *code) {
        return strcmp(code, "invalid") == 0 ? EXIT_USAGE : EXIT_NOT_CARRIED_OUT;
}

static int ask(Verifying *self, Error *err) {
        Ask request = { .method = "verify.run",
                        .fds = { self->base_fd, self->patch_fd },
                        .n_fds = 2 };
        Answer answer = ANSWER_EMPTY;
        Link link = LINK_EMPTY;
        int r = link_open(&link, self->options->common.socket, err);

        if (r < 0)
                return r;
        link.on_note = on_note;
        link.userdata = self;
        r = make_params(self, &request.params, err);
        if (r == 0)
                r = link_ask(&link, &request, &answer, err);
        if (r == 0)
                r = show(self, answer.result, err);
        else if (r == LINK_E_REFUSED)
                r = refusal(answer.code);
        answer_deinit(&answer);
        link_deinit(&link);
        return r;
}

static int run(const VerbCall *call, Error *err) {
        Verifying self = { .options = call->options,
                           .base_fd = -EBADF,
                           .patch_fd = -EBADF,
                           .events = BUF_EMPTY(EVENTS_MAX) };
        int r;

        if (call->n_words > 1) {
                (void) error_say(err, -EINVAL, "Give one patch, '-' for stdin, or none.");
                return VERB_E_USAGE;
        }
        r = prepare(&self, call->n_words == 1 ? call->words[0] : NULL, err);
        if (r == 0 && self.options->out)
                r = outdir_make(self.options->out, err);
        if (r == 0)
                r = ask(&self, err);
        (void) json_free(self.spec);
        buf_deinit(&self.events);
        owned_close(&self.base_fd);
        owned_close(&self.patch_fd);
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
                    "  warder verify --run 'make check' --parse tap --protect 'tests/**'",
        .exits = EXITS_VERDICT,
        .options = verify_options,
        .size = sizeof(VerifyOptions),
        .exit_usage = EXIT_USAGE,
        .exit_failed = EXIT_NOT_CARRIED_OUT,
        .run = run,
};
