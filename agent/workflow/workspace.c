/*
 * workspace: see workspace.h. What goes, and what is made anew, is taken away by one command; then files are
 * written through the task's `open`, and links made by another command: there is no other way into the jail.
 */
#include "agent/workflow/workspace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/fds.h"

#define CHANGES_MAX  ((64u << 20) + 4096u)
#define WORDS_MAX    200u          /* of one command; the supervisor takes 256 */
#define TEXT_MAX     (400u * 1024) /* of its words together */
#define PATH_LEN_MAX 4096u
#define ROOM_TRIES   600u /* for a fork */
#define ROOM_USEC    100000u

static const char take_away[] =
        "for f do rm -f -- \"./$f\" || exit 1\n"
        "case $f in */*) rmdir -p -- \"./${f%/*}\" 2>/dev/null ;; esac; done; :";
static const char make_links[] =
        "while [ $# -gt 1 ]; do case $2 in */*) mkdir -p -- \"./${2%/*}\" || exit 1 ;; esac\n"
        "ln -s -- \"$1\" \"./$2\" || exit 1; shift 2; done";

/* ---- turns --------------------------------------------------------------------------------------- */

static bool is_free(const void *userdata) {
        const Run *run = userdata;

        return run->merging == NULL;
}

int workspace_take(Engine *engine, Error *err) {
        int r = loop_until(engine->session->loop, is_free, engine->run, err);

        if (r < 0)
                return engine_fail(engine, engine_wait_cause(r), r);
        engine->run->merging = engine;
        return 0;
}

void workspace_leave(Engine *engine) {
        if (engine->run->merging == engine)
                engine->run->merging = NULL;
}

/* ---- forks --------------------------------------------------------------------------------------- */

int workspace_life(Engine *engine, unsigned *ret_life, Error *err) {
        SCOPED(json_free) cJSON *number = engine_noted(engine, "life");
        unsigned life = cJSON_IsNumber(number) && number->valueint > 0
                                ? (unsigned) number->valueint + 1
                                : 1;
        int r;

        json_free(number);
        number = cJSON_CreateNumber(life);
        if (!number)
                return engine_no_memory(engine, err);
        r = engine_note(engine, "life", number, err);
        if (r >= 0)
                *ret_life = life;
        return r;
}

int workspace_nested(Engine *engine, Error *err) {
        (void) error_say(err, -EINVAL, "step %s: a fork is not forked again", engine->path);
        return engine_fail(engine, CAUSE_WORKFLOW, -EINVAL);
}

/* Returns: 1 where there is no room, and @last is not set; 0; negative errno */
static int try_fork(Engine *engine, uint64_t *ret_fork, bool last, Error *err) {
        SCOPED(link_answer_deinit) LinkAnswer answer = LINK_ANSWER_EMPTY;
        int r = link_call(engine->session->link, "fork", cJSON_CreateObject(), &answer, err);

        if (link_is_busy(r, &answer) && !last)
                return 1;
        r = engine_answered(engine, r, &answer);
        if (r < 0)
                return r;
        if (json_number(answer.result, "fork", ret_fork) == 0)
                return 0;
        (void) error_say(err, -EPROTO, "fork: an answer without a number");
        return engine_fail(engine, CAUSE_INTERNAL, -EPROTO);
}

/* @keep: the caller has the turn; else it is taken for each try, since who has a fork needs it to end that */
static int make_fork(Engine *engine, uint64_t *ret_fork, bool keep, Error *err) {
        int r = 1;

        workspace_end(engine, *ret_fork);
        *ret_fork = engine->fork = 0;
        for (unsigned i = 1; r > 0; i++) {
                if (i > 1 && (r = engine_pause(engine, ROOM_USEC, err)) < 0)
                        return r;
                if (!keep && (r = workspace_take(engine, err)) < 0)
                        return r;
                r = try_fork(engine, ret_fork, i == ROOM_TRIES, err);
                if (!keep)
                        workspace_leave(engine);
        }
        engine->fork = *ret_fork;
        return r;
}

int workspace_begin(Engine *engine, uint64_t *ret_fork, Error *err) {
        return make_fork(engine, ret_fork, false, err);
}

int workspace_again(Engine *engine, uint64_t *ret_fork, Error *err) {
        return make_fork(engine, ret_fork, true, err);
}

/* Its number was given by the supervisor; a refusal means that it is gone, and nothing is lost by that. */
void workspace_end(Engine *engine, uint64_t fork) {
        cJSON *params = cJSON_CreateObject();

        if (fork > 0 && json_add_number(params, "end", fork))
                (void) link_notify(engine->session->link, "fork", params);
        else
                json_free(params);
}

void merging_deinit(Merging *merging) {
        json_free(merging->conflicts);
        free(merging->changes);
        *merging = MERGING_EMPTY;
}

int workspace_merge(Engine *engine, uint64_t fork, Merging *ret_merging, Error *err) {
        SCOPED(link_answer_deinit) LinkAnswer answer = LINK_ANSWER_EMPTY;
        SCOPED(merging_deinit) Merging merging = MERGING_EMPTY;
        autoclose int fd = -EBADF;
        cJSON *params = cJSON_CreateObject();
        int r;

        (void) json_add_number(params, "fork", fork);
        r = engine_call(engine, "merge", params, &answer, err);
        if (r < 0)
                return r;
        fd = link_take_fd(&answer);
        merging.conflicts = cJSON_Duplicate(json_get(answer.result, "conflicts"), true);
        (void) json_number(answer.result, "conflicting", &merging.conflicting);
        r = fd < 0 ? -EPROTO : fd_read_all(fd, CHANGES_MAX, &merging.changes, &merging.n);
        if (r >= 0 && !merging.conflicts)
                r = -ENOMEM;
        if (r < 0) {
                (void) error_set(err, r, "read what fork %llu changes", (unsigned long long) fork);
                return engine_fail(engine, CAUSE_INTERNAL, r);
        }
        *ret_merging = merging;
        merging = MERGING_EMPTY;
        return 0;
}

/* ---- laying -------------------------------------------------------------------------------------- */

typedef struct Change {
        unsigned mode; /* 0: it goes */
        char path[PATH_LEN_MAX];
        const char *bytes; /* borrowed */
        size_t n;
} Change;

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

/* One command in the workspace, whose words go on until they are many. */
typedef struct Batch {
        Engine *engine; /* borrowed */
        uint64_t fork;
        const char *script;
        cJSON *words; /* owned */
        unsigned n;
        size_t bytes;
} Batch;

static int judge(Batch *batch, const LinkAnswer *answer, Error *err) {
        const char *cause = json_text(answer->result, "cause");
        const cJSON *code = json_get(answer->result, "code");

        if (cause && strcmp(cause, "exited") == 0 && cJSON_IsNumber(code) && code->valueint == 0)
                return 0;
        (void) error_say(err, -EIO, "a merge could not be laid: the command for it ended by %.40s",
                         cause ? cause : "nothing");
        return engine_fail(batch->engine, CAUSE_MERGE, -EIO);
}

static int flush(Batch *batch, Error *err) {
        SCOPED(link_answer_deinit) LinkAnswer answer = LINK_ANSWER_EMPTY;
        cJSON *params;
        int r;

        if (batch->n == 0)
                return 0;
        params = cJSON_CreateObject();
        (void) json_add_consume(params, "argv", TAKE_PTR(batch->words));
        (void) json_add_text(params, "cwd", "/work");
        if (batch->fork > 0)
                (void) json_add_number(params, "fork", batch->fork);
        batch->n = 0;
        batch->bytes = 0;
        r = engine_call(batch->engine, "exec", params, &answer, err);
        return r < 0 ? r : judge(batch, &answer, err);
}

/* One or two words that belong together; @second may be NULL. */
static int add(Batch *batch, const char *first, const char *second, Error *err) {
        size_t n = strlen(first) + (second ? strlen(second) : 0);
        int r = 0;

        if (batch->n + 2 > WORDS_MAX || batch->bytes + n > TEXT_MAX)
                r = flush(batch, err);
        if (r < 0)
                return r;
        if (batch->n == 0) {
                batch->words = cJSON_CreateArray();
                (void) json_push_text(batch->words, "/bin/sh");
                (void) json_push_text(batch->words, "-c");
                (void) json_push_text(batch->words, batch->script);
                (void) json_push_text(batch->words, "sh");
        }
        batch->n += second ? 2 : 1;
        batch->bytes += n;
        if (!json_push_text(batch->words, first) ||
            (second && !json_push_text(batch->words, second)))
                return engine_no_memory(batch->engine, err);
        return 0;
}

static int write_file(Batch *batch, const Change *change, Error *err) {
        SCOPED(link_answer_deinit) LinkAnswer answer = LINK_ANSWER_EMPTY;
        cJSON *params = cJSON_CreateObject(), *flags;
        char path[PATH_LEN_MAX + 8];
        autoclose int fd = -EBADF;
        int r;

        (void) snprintf(path, sizeof(path), "/work/%s", change->path);
        (void) json_add_text(params, "path", path);
        flags = json_add_array(params, "flags");
        (void) json_push_text(flags, "write");
        (void) json_push_text(flags, "create");
        (void) json_push_text(flags, "parents");
        (void) json_add_number(params, "mode", change->mode & 0777);
        if (batch->fork > 0)
                (void) json_add_number(params, "fork", batch->fork);
        r = engine_call(batch->engine, "open", params, &answer, err);
        if (r < 0)
                return r;
        fd = link_take_fd(&answer);
        r = fd < 0 ? -EPROTO : fd_write_all(fd, change->bytes, change->n);
        if (r >= 0)
                return 0;
        (void) error_set(err, r, "write %.200s of a merge", change->path);
        return engine_fail(batch->engine, CAUSE_MERGE, r);
}

static int lay_link(Batch *batch, const Change *change, Error *err) {
        autofree char *target = strndup(change->bytes, change->n);

        return target ? add(batch, target, change->path, err)
                      : engine_no_memory(batch->engine, err);
}

#define MODE_LINK 0120000u

typedef enum LayPass { LAY_AWAY, LAY_FILES, LAY_LINKS, _LAY_PASS_MAX } LayPass;

static int lay_change(Batch *batch, LayPass pass, const Change *change, Error *err) {
        if (utf8_is_valid(change->path, strlen(change->path)) == 0) {
                (void) error_say(err, -EILSEQ,
                                 "a merge changes a file whose name is no UTF-8: no request can "
                                 "name it");
                return engine_fail(batch->engine, CAUSE_MERGE, -EILSEQ);
        }
        if (pass == LAY_AWAY)
                return add(batch, change->path, NULL, err);
        if (change->mode == 0)
                return 0;
        if (pass == LAY_LINKS)
                return change->mode == MODE_LINK ? lay_link(batch, change, err) : 0;
        return change->mode == MODE_LINK ? 0 : write_file(batch, change, err);
}

static int lay_pass(Batch *batch, LayPass pass, const Merging *merging, Error *err) {
        const char *at = merging->changes, *end = at + merging->n;
        Change change;
        int r;

        while ((r = next_change(&at, end, &change)) > 0) {
                r = lay_change(batch, pass, &change, err);
                if (r < 0)
                        return r;
        }
        if (r == 0)
                return flush(batch, err);
        (void) error_say(err, r, "the supervisor's merge cannot be read");
        return engine_fail(batch->engine, CAUSE_INTERNAL, r);
}

int workspace_lay(Engine *engine, const Merging *merging, uint64_t fork, Error *err) {
        Batch batch = { .engine = engine, .fork = fork };
        int r = 0;

        for (unsigned pass = 0; pass < _LAY_PASS_MAX && r >= 0; pass++) {
                batch.script = pass == LAY_AWAY ? take_away : make_links;
                r = lay_pass(&batch, (LayPass) pass, merging, err);
        }
        json_free(batch.words);
        return r;
}

/* ---- marks --------------------------------------------------------------------------------------- */

static bool is_conflict(const Merging *merging, const char *path) {
        static const char work[] = "/work/";
        const cJSON *conflict;

        if (strncmp(path, work, sizeof(work) - 1) == 0)
                path += sizeof(work) - 1;
        cJSON_ArrayForEach(conflict, merging->conflicts) {
                const char *name = json_text(conflict, "path");

                if (name && strcmp(name, path) == 0)
                        return true;
        }
        return false;
}

int workspace_marked(Engine *engine, const Merging *merging, uint64_t fork, Error *err) {
        SCOPED(link_answer_deinit) LinkAnswer answer = LINK_ANSWER_EMPTY;
        cJSON *params = cJSON_CreateObject();
        const cJSON *match;
        int r, n = 0;

        (void) json_add_text(params, "kind", "grep");
        (void) json_add_text(params, "pattern", "^(<<<<<<< ours|>>>>>>> theirs)$");
        (void) json_add_number(params, "fork", fork);
        r = engine_call(engine, "search", params, &answer, err);
        if (r < 0)
                return r;
        cJSON_ArrayForEach(match, json_get(answer.result, "matches")) {
                const char *path = json_text(match, "path");

                n += path && is_conflict(merging, path);
        }
        return n;
}
