/*
 * laying: see laying.h.
 *
 *   files and links are put aside in .warder-merging/new, by their number -> the list of all changes -> one command
 *   moves what is there to .warder-merging/old, and the new to its place -> it removes .warder-merging
 *
 * What can fail for want of room fails before the workspace is touched. Where the command itself fails, another one
 * goes through the same list and moves everything back. No commit, verify or fork is made meanwhile: who lays into the
 * task's own workspace has the turn (workspace_take()).
 */
#include "agent/workflow/laying.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/escape.h"
#include "base/fds.h"

#define WORDS_MAX    200u          /* of one command; the supervisor takes 256 */
#define TEXT_MAX     (400u * 1024) /* of its words together */
#define PATH_LEN_MAX 4096u
#define LIST_MAX     (64u << 20)
#define ASIDE        ".warder-merging"

static const char make_links[] = "mkdir -p " ASIDE "/new || exit 1\n"
                                 "while [ $# -gt 1 ]; do rm -f -- " ASIDE
                                 "/new/$2; ln -s -- \"$1\" " ASIDE "/new/$2 || exit 1\n"
                                 "shift 2; done";

/* A line of the list: "n" (it is there afterwards) or "d" (it is not), number, path. */
#define EACH_LINE "while IFS= read -r l; do k=${l%% *} l=${l#* }; n=${l%% *} f=./${l#* }\n"

static const char move_in[] =
        "s=" ASIDE "; rm -rf $s/old && mkdir -p $s/old $s/new || exit 1\n" EACH_LINE
        "if [ -L \"$f\" ] || [ -f \"$f\" ]; then mv -- \"$f\" $s/old/$n || exit 1; fi\n"
        "if [ $k = d ]; then case $f in ./*/*) rmdir -p -- \"${f%/*}\" 2>/dev/null ;; esac; fi\n"
        "done <$s/list || exit 1\n" EACH_LINE
        "[ $k = n ] || continue; d=${f%/*}; [ -d \"$d\" ] || mkdir -p -- \"$d\" || exit 1\n"
        "if [ -e \"$f\" ] || [ -L \"$f\" ]; then exit 1; fi\n"
        "mv -- $s/new/$n \"$f\" || exit 1\n"
        "done <$s/list || exit 1\n"
        "mv $s/list $s/done && rm -rf $s; :"; /* without the list nothing is moved back */

static const char move_back[] =
        "s=" ASIDE "; [ -f $s/list ] && [ -d $s/old ] || { rm -rf $s; exit; }\n" EACH_LINE
        "[ $k = n ] && [ ! -e $s/new/$n ] && [ ! -L $s/new/$n ] || continue\n"
        "rm -f -- \"$f\" || exit 1; case $f in ./*/*) rmdir -p -- \"${f%/*}\" 2>/dev/null ;; esac\n"
        "done <$s/list || exit 1\n" EACH_LINE "[ -e $s/old/$n ] || [ -L $s/old/$n ] || continue\n"
        "d=${f%/*}; [ -d \"$d\" ] || mkdir -p -- \"$d\" || exit 1; mv -- $s/old/$n \"$f\" || exit "
        "1\n"
        "done <$s/list || exit 1\n"
        "rm -rf $s";

/* ---- changes ------------------------------------------------------------------------------------- */

typedef struct Change {
        unsigned mode; /* 0: it goes */
        char path[PATH_LEN_MAX];
        const char *bytes; /* borrowed */
        size_t n;
} Change;

#define MODE_LINK 0120000u

/* Takes the change that begins at *@at, which then points behind it. Returns: 1, 0 at the end, -EPROTO */
static int next_change(const char **at, const char *end, Change *ret) {
        const char *line = *at, *stop, *path;
        char *after = NULL;

        if (line == end)
                return 0;
        stop = memchr(line, '\n', (size_t) (end - line));
        if (!stop)
                return -EPROTO;
        ret->mode = (unsigned) strtoul(line, &after, 8);
        if (after == line || after >= stop || *after != ' ')
                return -EPROTO;
        line = after + 1;
        ret->n = strtoul(line, &after, 10);
        if (after == line || after >= stop || *after != ' ')
                return -EPROTO;
        path = after + 1;
        if (path == stop || (size_t) (stop - path) >= sizeof(ret->path) ||
            ret->n > (size_t) (end - stop - 1))
                return -EPROTO;
        memcpy(ret->path, path, (size_t) (stop - path));
        ret->path[stop - path] = 0;
        ret->bytes = stop + 1;
        *at = stop + 1 + ret->n;
        return 1;
}

/* ---- commands ------------------------------------------------------------------------------------ */

typedef struct Laying {
        Engine *engine; /* borrowed */
        const Merging *merging;
        uint64_t fork;
        cJSON *words; /* owned: of the command for links that is being gathered; NULL: none */
        unsigned n;
        size_t bytes;
        Buf list; /* owned */
} Laying;

static int merge_fail(Laying *laying, int r) {
        return engine_fail(laying->engine, CAUSE_MERGE, r);
}

static int no_memory(Laying *laying, Error *err) {
        return engine_no_memory(laying->engine, err);
}

static cJSON *new_words(const char *script) {
        static const char *const first[] = { "/bin/sh", "-c", NULL, "sh" };
        SCOPED(json_free) cJSON *words = cJSON_CreateArray();

        for (unsigned i = 0; i < ELEMENTS(first); i++)
                if (!json_push_text(words, first[i] ? first[i] : script))
                        return NULL;
        return TAKE_PTR(words);
}

/* @words_consume: NULL: no memory */
static int command(Laying *laying, cJSON *words_consume, Error *err) {
        SCOPED(link_answer_deinit) LinkAnswer answer = LINK_ANSWER_EMPTY;
        cJSON *params = cJSON_CreateObject();
        const cJSON *code;
        const char *cause;
        int r;

        if (!json_add_consume(params, "argv", words_consume)) {
                json_free(params);
                return no_memory(laying, err);
        }
        (void) json_add_text(params, "cwd", "/work");
        if (laying->fork > 0)
                (void) json_add_number(params, "fork", laying->fork);
        r = engine_call(laying->engine, "exec", params, &answer, err);
        if (r < 0)
                return r;
        cause = json_text(answer.result, "cause");
        code = json_get(answer.result, "code");
        if (cause && strcmp(cause, "exited") == 0 && cJSON_IsNumber(code) && code->valueint == 0)
                return 0;
        (void) error_say(err, -EIO, "a merge could not be laid: the command for it ended by %.40s",
                         cause ? cause : "nothing");
        return merge_fail(laying, -EIO);
}

/* ---- aside --------------------------------------------------------------------------------------- */

typedef struct Aside { /* a file below /work */
        const char *name;
        unsigned mode;
        const char *bytes;
        size_t n;
} Aside;

static int write_aside(Laying *laying, const Aside *file, Error *err) {
        SCOPED(link_answer_deinit) LinkAnswer answer = LINK_ANSWER_EMPTY;
        static const char *const names[] = { "write", "create", "parents", "truncate" };
        cJSON *params = cJSON_CreateObject(), *flags;
        autoclose int fd = -EBADF;
        char path[64];
        int r;

        (void) snprintf(path, sizeof(path), "/work/" ASIDE "/%s", file->name);
        (void) json_add_text(params, "path", path);
        flags = json_add_array(params, "flags");
        for (unsigned i = 0; i < ELEMENTS(names); i++)
                (void) json_push_text(flags, names[i]);
        (void) json_add_number(params, "mode", file->mode & 0777);
        if (laying->fork > 0)
                (void) json_add_number(params, "fork", laying->fork);
        r = engine_call(laying->engine, "open", params, &answer, err);
        if (r < 0)
                return r;
        fd = link_take_fd(&answer);
        r = fd < 0 ? -EPROTO : fd_write_all(fd, file->bytes, file->n);
        if (r >= 0)
                return 0;
        (void) error_set(err, r, "write %s of a merge", path);
        return merge_fail(laying, r);
}

static int flush_links(Laying *laying, Error *err) {
        if (!laying->words)
                return 0;
        laying->n = 0;
        laying->bytes = 0;
        return command(laying, TAKE_PTR(laying->words), err);
}

static int add_link(Laying *laying, const Change *change, unsigned number, Error *err) {
        autofree char *target = strndup(change->bytes, change->n);
        char name[16];
        int r = 0;

        if (laying->n + 2 > WORDS_MAX || laying->bytes + change->n > TEXT_MAX)
                r = flush_links(laying, err);
        if (r < 0)
                return r;
        if (!laying->words)
                laying->words = new_words(make_links);
        (void) snprintf(name, sizeof(name), "%u", number);
        laying->n += 2;
        laying->bytes += change->n;
        if (!target || !json_push_text(laying->words, target) ||
            !json_push_text(laying->words, name))
                return no_memory(laying, err);
        return 0;
}

/* Can it be named in a request, and is it none of ours? */
static int check_path(Laying *laying, const Change *change, Error *err) {
        size_t n = sizeof(ASIDE) - 1;
        int r = 0;

        if (utf8_is_valid(change->path, strlen(change->path)) == 0)
                r = error_say(err, -EILSEQ,
                              "a merge changes a file whose name is no UTF-8: no request can "
                              "name it");
        else if (strncmp(change->path, ASIDE, n) == 0 &&
                 (!change->path[n] || change->path[n] == '/'))
                r = error_say(err, -EEXIST, "a merge changes " ASIDE ", which is where merges lie");
        return r < 0 ? merge_fail(laying, r) : 0;
}

static int put_aside(Laying *laying, const Change *change, unsigned number, Error *err) {
        char name[24];
        int r = check_path(laying, change, err);

        if (r >= 0 && buf_printf(&laying->list, "%s %u %s\n", change->mode ? "n" : "d", number,
                                 change->path) < 0)
                return no_memory(laying, err);
        if (r < 0 || change->mode == 0)
                return r;
        if (change->mode == MODE_LINK)
                return add_link(laying, change, number, err);
        (void) snprintf(name, sizeof(name), "new/%u", number);
        return write_aside(laying, &(Aside){ name, change->mode, change->bytes, change->n }, err);
}

static int put_all_aside(Laying *laying, Error *err) {
        const char *at = laying->merging->changes, *end = at + laying->merging->n;
        unsigned number = 0;
        Change change;
        int r;

        while ((r = next_change(&at, end, &change)) > 0) {
                r = put_aside(laying, &change, number++, err);
                if (r < 0)
                        return r;
        }
        if (r < 0) {
                (void) error_say(err, r, "the supervisor's merge cannot be read");
                return engine_fail(laying->engine, CAUSE_INTERNAL, r);
        }
        r = flush_links(laying, err);
        return r < 0 ? r
                     : write_aside(laying,
                                   &(Aside){ "list", 0600, laying->list.data, laying->list.len },
                                   err);
}

/* ---- all of it ----------------------------------------------------------------------------------- */

static void take_back(Laying *laying) {
        Engine *engine = laying->engine;
        Cause cause = engine->cause;

        engine->cause = CAUSE_NONE;
        if (command(laying, new_words(move_back), NULL) < 0 && laying->fork == 0)
                engine->run->torn = true;
        engine->cause = cause;
}

int laying_lay(Engine *engine, const Merging *merging, uint64_t fork, Error *err) {
        Laying laying = {
                .engine = engine, .merging = merging, .fork = fork, .list = BUF_EMPTY(LIST_MAX)
        };
        Loop *loop = engine->session->loop;
        bool outer;
        int r;

        if (merging->n == 0)
                return 0;
        outer = loop_shield(loop, true);
        r = put_all_aside(&laying, err);
        if (r >= 0)
                r = command(&laying, new_words(move_in), err);
        if (r < 0)
                take_back(&laying);
        (void) loop_shield(loop, outer);
        json_free(laying.words);
        buf_deinit(&laying.list);
        return r;
}
