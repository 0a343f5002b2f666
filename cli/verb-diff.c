/*
 * The verb "diff": what a jail changed.
 */
#include "cli/verb-diff.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/units.h"
#include "cli/jail-work.h"
#include "cli/patch-show.h"
#include "cli/terminal.h"
#include "cli/workdir.h"

#define PATH_SHOWN_MAX 4096

typedef struct DiffOptions {
        Common common;
        bool patch;
        const char *work;
} DiffOptions;

static const Option diff_options[] = {
        { "patch", 'p', OPTION_FLAG, offsetof(DiffOptions, patch), NULL,
          "A patch of one directory, which 'git apply' takes there" },
        { "work", 0, OPTION_TEXT, offsetof(DiffOptions, work), "DIR",
          "The directory that the jail was made in (default: the current one)" },
        OPTIONS_COMMON,
        { 0 },
};

/* ---- paths --------------------------------------------------------------------------------------- */

/* A kind as we know it: what a supervisor says is not believed to be one */
static const char *kind_of(const cJSON *line, const char *member) {
        static const char *const kinds[] = { "file", "directory", "link", "other" };
        const char *text = json_text(line, member);

        for (size_t i = 0; text && i < ELEMENTS(kinds); i++)
                if (strcmp(text, kinds[i]) == 0)
                        return kinds[i];
        return NULL;
}

static void show_line(const cJSON *line) {
        const char *kind = kind_of(line, "kind"), *was = kind_of(line, "was");
        const char *change = json_text(line, "change"), *path = json_text(line, "path");
        char text[UNITS_TEXT_MAX];
        uint64_t size = 0;
        bool has_size = kind && strcmp(kind, "file") == 0 && json_number(line, "size", &size) == 0;

        printf("%c  %10s  ", change && *change && strchr("AMD", *change) ? *change : '?',
               has_size ? units_format_size(size, text)
               : kind   ? kind
                        : "?");
        terminal_text(stdout, path ? path : "", PATH_SHOWN_MAX);
        if (was)
                printf("  (was a %s)", was);
        putchar('\n');
}

static int show_lines(FILE *file, bool raw, Error *err) {
        autofree char *line = NULL;
        size_t room = 0;
        ssize_t n;

        while ((n = getline(&line, &room, file)) > 0) {
                SCOPED(json_free) cJSON *json = NULL;

                if (raw)
                        (void) fwrite(line, 1, (size_t) n, stdout);
                else if (json_parse(line, (size_t) n, 0, &json, err) == 0)
                        show_line(json);
                else
                        return err->code;
        }
        if (ferror(file))
                return error_set(err, -EIO, "read what changed");
        return fflush(stdout) != 0 ? error_set(err, -errno, "write to stdout") : 0;
}

/* The lines wait in a file until all are there: who reads them slowly keeps no jail of the supervisor's waiting */
static int ask_paths(Link *link, const DiffOptions *options, Ask *ask, Error *err) {
        Answer answer = ANSWER_EMPTY;
        FILE *file;
        int fd = spool_new(err), r;

        if (fd < 0)
                return error_set(err, fd, "make a temporary file");
        ask->fds[ask->n_fds++] = fd;
        r = link_ask(link, ask, &answer, err);
        answer_deinit(&answer);
        file = r == 0 && lseek(fd, 0, SEEK_SET) == 0 ? fdopen(fd, "r") : NULL;
        if (!file) {
                if (r == 0)
                        r = error_set(err, -errno, "read what changed");
                (void) close(fd);
                return r;
        }
        r = show_lines(file, options->common.json, err);
        (void) fclose(file);
        return r;
}

/* ---- a patch ------------------------------------------------------------------------------------- */

static int ask_patch(Link *link, const char *dir, Ask *ask, Error *err) {
        Answer answer = ANSWER_EMPTY;
        int r;

        json_add_text(ask->params, "format", "patch");
        if (dir)
                json_add_text(ask->params, "dir", dir);
        r = link_ask(link, ask, &answer, err);
        if (r == 0 && answer.message.n_fds != 1)
                r = error_say(err, -EPROTO, "The supervisor passed no patch.");
        if (r == 0 && (r = patch_write(answer.message.fds[0])) < 0)
                (void) error_set(err, r, "write the patch");
        answer_deinit(&answer);
        return r;
}

/* ---- the verb ------------------------------------------------------------------------------------ */

static int check(const VerbCall *call, Error *err) {
        const DiffOptions *options = call->options;

        if (call->n_words < 1 || call->n_words > 2)
                (void) error_say(err, -EINVAL, "Name a jail, and with --patch a directory of it.");
        else if (call->n_words == 2 && !options->patch)
                (void) error_say(
                        err, -EINVAL,
                        "Paths are those of the whole jail; --patch is about a directory.");
        else if (call->n_words == 2 && call->words[1][0] != '/')
                (void) error_say(err, -EINVAL, "'%.60s': give an absolute path of the jail.",
                                 call->words[1]);
        else
                return 0;
        return VERB_E_USAGE;
}

static int ask_all(Link *link, const VerbCall *call, Ask *ask, Error *err) {
        const DiffOptions *options = call->options;

        return options->patch
                       ? ask_patch(link, call->n_words == 2 ? call->words[1] : NULL, ask, err)
                       : ask_paths(link, options, ask, err);
}

static int run(const VerbCall *call, Error *err) {
        const DiffOptions *options = call->options;
        Ask ask = { .method = "jail.diff" };
        int r = check(call, err);

        if (r != 0)
                return r;
        ask.params = cJSON_CreateObject();
        return jail_work_ask(call, options->work, &ask, ask_all, err);
}

const Verb verb_diff = {
        .name = "diff",
        .summary = "show what a jail changed, as paths or as a patch",
        .synopsis = "[OPTION…] JAIL [DIR]",
        .text = "A line a path: A added, M modified or opened for writing, D deleted, with size or "
                "kind.\n"
                "A deleted directory is one line. With --patch, the changes below DIR (default: "
                "where\n"
                "commands start, /work) as a patch; what .gitignore there names is left out.",
        .examples = "  warder diff j-7f3kq2m4ab\n"
                    "  warder diff --patch j-7f3kq2m4ab | git apply",
        .exits = EXITS_PLAIN,
        .options = diff_options,
        .size = sizeof(DiffOptions),
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run,
};
