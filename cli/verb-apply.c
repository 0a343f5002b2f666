/*
 * The verb "apply": the one place where a result leaves the jails for good. The patch was written by whom
 * nobody trusts. It is read by warder-files in a jail; the rules of guard.h hold whatever that says; the
 * files are put in place by install.h, with the user's rights, all or none.
 */
#include "cli/verb-apply.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/danger.h"
#include "base/fds.h"
#include "cli/apply-git.h"
#include "cli/apply-source.h"
#include "cli/events.h"
#include "cli/guard.h"
#include "cli/install.h"
#include "cli/origin.h"
#include "cli/terminal.h"
#include "cli/workdir.h"
#include "cli/workspace.h"

#define EXIT_ASK 4 /* a person has to say yes first */

typedef struct ApplyOptions {
        Common common;
        const char *patch;
        const char *verdict;
        const char *dir;
        bool check;
        bool yes;
        bool unverified;
        bool index;
        OptionList keys;
} ApplyOptions;

static const Option apply_options[] = {
        { "patch", 'P', OPTION_TEXT, offsetof(ApplyOptions, patch), "FILE|-",
          "This patch, instead of a task's" },
        { "verdict", 0, OPTION_TEXT, offsetof(ApplyOptions, verdict), "FILE",
          "With --patch: the verdict that 'warder verify' wrote about it" },
        { "dir", 'C', OPTION_TEXT, offsetof(ApplyOptions, dir), "DIR",
          "Apply it to the repository that holds DIR (default: this directory)" },
        { "check", 0, OPTION_FLAG, offsetof(ApplyOptions, check), NULL,
          "Change nothing: say what would be done, or why not" },
        { "yes", 'y', OPTION_FLAG, offsetof(ApplyOptions, yes), NULL,
          "Do not ask about files that run on this machine" },
        { "unverified", 0, OPTION_FLAG, offsetof(ApplyOptions, unverified), NULL,
          "Apply it although no verdict says that it passed" },
        { "index", 0, OPTION_FLAG, offsetof(ApplyOptions, index), NULL,
          "Stage what was applied as well (git update-index)" },
        { "key", 0, OPTION_LIST, offsetof(ApplyOptions, keys), "FILE",
          "Of a directory: its receipt must be signed by this public key" },
        OPTIONS_COMMON,
        { 0 },
};

typedef struct Applying {
        const ApplyOptions *options;
        Link link;
        ApplySource source;
        User user;
        char top[PATH_MAX];
        bool is_repository;
        Changes names;
        Changes results;
        Tree tree;
        unsigned n_dangers;
        cJSON *files; /* owned: for --json */
} Applying;

static int find_top(Applying *self, Error *err) {
        const char *dir = self->options->dir ? self->options->dir : ".";
        Repository repo;
        int r = workspace_find(dir, NULL, &repo, err);

        if (r == 0) {
                self->user = repo.user;
                self->is_repository = true;
                (void) snprintf(self->top, sizeof(self->top), "%s", repo.top);
                return 0;
        }
        if (r != -ENOENT)
                return r;
        if (self->options->index) {
                *err = ERROR_EMPTY;
                (void) error_say(err, -EINVAL, "--index: %s is in no git repository.", dir);
                return VERB_E_USAGE;
        }
        *err = ERROR_EMPTY; /* a directory that is no repository takes patches as well */
        user_of_directory(dir, &self->user);
        return realpath(dir, self->top) ? 0 : error_set(err, -errno, "find %s", dir);
}

/* ---- what may not land --------------------------------------------------------------------------- */

static int refuse(const char *path, const char *why, Error *err) {
        return error_say(err, -EPERM, "Refused: %.250s %s. Nothing was changed.", path, why);
}

static int check_paths(const Changes *changes, Error *err) {
        for (unsigned i = 0; i < changes->n; i++) {
                const Change *change = &changes->items[i];
                const char *why = guard_path(change->path);

                if (!why)
                        why = guard_mode(change->mode);
                if (why)
                        return refuse(change->path, why, err);
        }
        return 0;
}

static int check_links(const Changes *results, Error *err) {
        for (unsigned i = 0; i < results->n; i++) {
                const Change *change = &results->items[i];
                char target[GUARD_PATH_MAX];
                const char *why = NULL;

                if (change->kind == CHANGE_DELETED || change->mode != 0120000)
                        continue;
                if (change->n >= sizeof(target) || pread(results->fd, target, change->n,
                                                         (off_t) change->at) != (ssize_t) change->n)
                        why = "is a link whose target cannot be read";
                else
                        why = guard_link(change->path, target, change->n);
                if (why)
                        return refuse(change->path, why, err);
        }
        return 0;
}

/* ---- what it does -------------------------------------------------------------------------------- */

static uint32_t mode_before(const Seen *seen) {
        if (!seen->there || S_ISDIR(seen->st.st_mode))
                return 0;
        if (S_ISLNK(seen->st.st_mode))
                return 0120000;
        return seen->st.st_mode & 0100 ? 0100755 : 0100644;
}

static const char *action_of(const Change *change, uint32_t before) {
        if (change->kind == CHANGE_DELETED)
                return "delete";
        return before ? "change" : "add";
}

static void show_change(Applying *self, const Change *change, uint32_t before) {
        const char *dangers[] = { danger_of(change->path), danger_of_mode(before, change->mode) };
        const char *action = action_of(change, before);
        cJSON *json = json_push_consume(self->files, cJSON_CreateObject()), *list;

        json_add_text(json, "path", change->path);
        json_add_text(json, "action", action);
        list = json_add_array(json, "warnings");
        if (!self->options->common.json) {
                fprintf(stderr, "  %-6s  ", action);
                terminal_text(stderr, change->path, 400);
                fputc('\n', stderr);
        }
        for (size_t i = 0; i < ELEMENTS(dangers); i++) {
                if (!dangers[i])
                        continue;
                self->n_dangers++;
                json_push_text(list, dangers[i]);
                if (!self->options->common.json)
                        fprintf(stderr, "          %s%s%s\n", terminal_tone(TONE_WARN), dangers[i],
                                terminal_tone(TONE_PLAIN));
        }
}

static int show_changes(Applying *self, Error *err) {
        for (unsigned i = 0; i < self->results.n; i++) {
                const Change *change = &self->results.items[i];
                const Change *name = changes_find(&self->names, change->path);

                if (!name)
                        return error_say(err, -EPROTO,
                                         "%.250s: warder-files names a path that is none of the "
                                         "patch. Nothing was changed.",
                                         change->path);
                show_change(self, change, mode_before(&self->tree.seen[name - self->names.items]));
        }
        return 0;
}

/* ---- consent ------------------------------------------------------------------------------------- */

static bool asks_yes(void) {
        char line[16] = "";

        fputs("Apply it? [y/N] ", stderr);
        (void) fflush(stderr);
        return fgets(line, sizeof(line), stdin) && (line[0] == 'y' || line[0] == 'Y');
}

/* Returns: 0, EXIT_ASK with a sentence. */
static int consent(const Applying *self, Error *err) {
        if (self->n_dangers == 0 || self->options->yes)
                return 0;
        if (!self->options->common.json && isatty(0) && isatty(2)) {
                if (asks_yes())
                        return 0;
                (void) error_say(err, -ECANCELED, "Nothing was changed.");
                return EXIT_ASK;
        }
        (void) error_say(err, -ECANCELED,
                         "The patch changes what runs on this machine or on the project's (named "
                         "above). Look at it, then apply it with --yes. Nothing was changed.");
        return EXIT_ASK;
}

/* ---- the way ------------------------------------------------------------------------------------- */

static int spool_patch(const ApplySource *source, int *ret_fd, Error *err) {
        autoclose int fd = spool_new(err);
        int r = fd < 0 ? fd : fd_write_all(fd, source->bytes, source->n);

        if (fd < 0)
                return fd;
        if (r < 0 || lseek(fd, 0, SEEK_SET) < 0)
                return error_set(err, r < 0 ? r : -errno, "keep a copy of the patch");
        *ret_fd = TAKE_FD(fd);
        return 0;
}

static int read_names(Applying *self, Error *err) {
        autoclose int fd = -EBADF;
        int r = spool_patch(&self->source, &fd, err);

        if (r == 0)
                r = changes_ask(&self->link, fd, false, &self->names, err);
        if (r == 0 && self->names.n == 0)
                r = error_say(err, -EINVAL, "%s is empty: there is nothing to apply.",
                              self->source.what);
        return r == 0 ? check_paths(&self->names, err) : r;
}

static int read_results(Applying *self, Error *err) {
        const TreePatch patch = { self->source.bytes, self->source.n };
        autoclose int archive = -EBADF;
        int r = tree_open(&self->tree, &self->user, self->top, &self->names, err);

        if (r == 0)
                r = tree_pack_names(&self->tree, &patch, &archive, err);
        if (r == 0)
                r = changes_ask(&self->link, archive, true, &self->results, err);
        if (r == LINK_E_REFUSED)
                (void) error_add(err, -EREMOTEIO,
                                 "the patch does not fit this tree, as where it was "
                                 "applied already; nothing was changed");
        if (r == 0)
                r = check_paths(&self->results, err);
        return r == 0 ? check_links(&self->results, err) : r;
}

static void report(Applying *self, bool applied) {
        cJSON *json;

        if (self->options->common.json) {
                json = cJSON_CreateObject();
                json_add_bool(json, "applied", applied);
                json_add_text(json, "patch", self->source.digest);
                json_add_bool(json, "verified", apply_source_check(&self->source, NULL) == 0);
                json_add_text(json, "tree", self->top);
                json_add_consume(json, "files", TAKE_PTR(self->files));
                events_print("apply", json);
                return;
        }
        fprintf(stderr, "%s%s %u %s in ", terminal_tone(TONE_BOLD),
                applied ? "applied:" : "would be applied:", self->results.n,
                self->results.n == 1 ? "file" : "files");
        terminal_text(stderr, self->top, 400);
        fprintf(stderr, "%s\n", terminal_tone(TONE_PLAIN));
}

/* A patch can fit a tree that nobody tested it on. */
static void say_if_drifted(const Applying *self) {
        char why[256];

        if (!self->is_repository)
                return;
        origin_drift(&self->user, self->top, self->source.verdict, why);
        if (why[0])
                terminal_say("%s", why);
}

static int apply(Applying *self, Error *err) {
        int r = find_top(self, err);

        if (r == 0)
                r = read_names(self, err);
        if (r == 0)
                r = read_results(self, err);
        if (r == 0)
                r = show_changes(self, err);
        if (r != 0)
                return r;
        say_if_drifted(self);
        if (self->options->check) {
                report(self, false);
                return self->n_dangers > 0 && !self->options->yes ? EXIT_ASK : 0;
        }
        r = consent(self, err);
        if (r == EXIT_ASK && self->options->common.json)
                report(self, false);
        if (r == 0)
                r = tree_install(&self->tree, &self->results, err);
        if (r == 0)
                report(self, true);
        if (r == 0 && self->options->index)
                r = apply_git_index(&self->user, self->top, &self->names, err);
        return r;
}

/* The digest binds patch and verdict to each other, and both to nothing: who writes one can write both. */
static void say_whose_word(const ApplySource *source) {
        if (!source->from_file || !source->verdict || source->is_signed)
                return;
        terminal_say(
                "That it is verified is the word of the verdict's file. What a supervisor signed "
                "is its receipt: 'warder task receipt --check FILE --patch FILE'.");
}

static int check_words(const VerbCall *call, Error *err) {
        const ApplyOptions *options = call->options;

        if (options->patch ? call->n_words > 0 : call->n_words != 1)
                (void) error_say(err, -EINVAL,
                                 "Name a task, a directory that --out wrote, or a patch with "
                                 "--patch.");
        else if (options->keys.n > 0 && options->patch)
                (void) error_say(err, -EINVAL, "--key goes with a directory that --out wrote.");
        else if (options->verdict && !options->patch)
                (void) error_say(err, -EINVAL, "--verdict goes with --patch.");
        else
                return 0;
        return VERB_E_USAGE;
}

static int run(const VerbCall *call, Error *err) {
        const ApplyOptions *options = call->options;
        const ApplyNames names = { .word = call->n_words == 1 ? call->words[0] : NULL,
                                   .patch = options->patch,
                                   .verdict = options->verdict,
                                   .keys = options->keys };
        Applying self = { .options = options,
                          .link = LINK_EMPTY,
                          .names = CHANGES_EMPTY,
                          .results = CHANGES_EMPTY,
                          .files = cJSON_CreateArray() };
        int r = check_words(call, err);

        if (r == 0)
                r = link_open(&self.link, options->common.socket, err);
        if (r == 0)
                r = apply_source_load(&names, &self.link, &self.source, err);
        if (r == 0 && !options->unverified)
                r = apply_source_check(&self.source, err);
        if (r == 0)
                say_whose_word(&self.source);
        if (r == 0)
                r = apply(&self, err);
        changes_deinit(&self.names);
        changes_deinit(&self.results);
        tree_deinit(&self.tree);
        apply_source_deinit(&self.source);
        link_deinit(&self.link);
        (void) json_free(self.files);
        return r == LINK_E_REFUSED ? -EREMOTEIO : r;
}

#define EXITS_APPLY                                                 \
        "  0    applied; with --check: it could be\n"               \
        "  1    refused, or it does not fit: nothing was changed\n" \
        "  2    wrong usage\n"                                      \
        "  4    it changes what runs on this machine: look at it, then use --yes; --check too\n"

const Verb verb_apply = {
        .name = "apply",
        .summary = "put a verified patch into this working tree",
        .synopsis = "[OPTION…] TASK|DIR\n       warder apply [OPTION…] --patch FILE",
        .text = "The patch of a task, or of a directory that --out wrote, goes into the "
                "repository\n"
                "around this directory: all of it or nothing. Only the very patch that the "
                "verdict\n"
                "names is taken. Refused are names of .git in any spelling, paths and links that "
                "lead\n"
                "out, modes of no plain file, and files that are not as the patch expects. Files "
                "that\n"
                "run by themselves (hooks, editor tasks, build files, CI) are named first.",
        .examples = "  warder apply t-7f3kq2m4ab\n"
                    "  warder verify --out result fix.patch && warder apply result",
        .exits = EXITS_APPLY,
        .options = apply_options,
        .size = sizeof(ApplyOptions),
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run,
};
