/*
 * workspace: see workspace.h.
 */
#include "agent/workflow/workspace.h"

#include <string.h>

#include "base/fds.h"

#define CHANGES_MAX ((64u << 20) + 4096u)
#define ROOM_TRIES  600u /* for a fork: one that was ended counts until its jail is gone */
#define ROOM_USEC   100000u

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

static bool has_place(const void *userdata) {
        const Run *run = userdata;

        return run->forks < WORKSPACE_FORKS_MAX;
}

static int wait_for_place(Engine *engine, Error *err) {
        int r = loop_until(engine->session->loop, has_place, engine->run, err);

        if (r < 0)
                return engine_fail(engine, engine_wait_cause(r), r);
        engine->run->forks++;
        return 0;
}

/* @keep: the caller has the turn; else it is taken for each try, since who has a fork needs it to end that */
static int make_fork(Engine *engine, uint64_t *ret_fork, bool keep, Error *err) {
        int r = 1;

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
        int r = wait_for_place(engine, err);

        if (r < 0)
                return r;
        r = make_fork(engine, ret_fork, false, err);
        engine->run->forks -= r < 0;
        return r;
}

/* The place stays taken: others, who wait for the turn, could not give one up. */
int workspace_again(Engine *engine, uint64_t *fork, Error *err) {
        int r;

        workspace_end(engine, fork);
        engine->run->forks++;
        r = make_fork(engine, fork, true, err);
        engine->run->forks -= r < 0;
        return r;
}

/* Its number was given by the supervisor; a refusal means that it is gone, and nothing is lost by that. */
void workspace_end(Engine *engine, uint64_t *fork) {
        cJSON *params;

        if (*fork == 0)
                return;
        params = cJSON_CreateObject();
        if (json_add_number(params, "end", *fork))
                (void) link_notify(engine->session->link, "fork", params);
        else
                json_free(params);
        if (engine->fork == *fork)
                engine->fork = 0;
        engine->run->forks--;
        *fork = 0;
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
        uint64_t bytes = 0;
        int r;

        (void) json_add_number(params, "fork", fork);
        r = engine_call(engine, "merge", params, &answer, err);
        if (r < 0)
                return r;
        fd = link_take_fd(&answer);
        merging.conflicts = cJSON_Duplicate(json_get(answer.result, "conflicts"), true);
        (void) json_number(answer.result, "conflicting", &merging.conflicting);
        (void) json_number(answer.result, "bytes", &bytes);
        r = fd < 0 ? -EPROTO : fd_read_all(fd, CHANGES_MAX, &merging.changes, &merging.n);
        if (r >= 0 && merging.n != bytes) /* half of a change is worse than none */
                r = -EPIPE;
        if (r >= 0 && !merging.conflicts)
                r = -ENOMEM;
        if (r < 0) {
                (void) error_set(err, r, "read what fork %llu changes", (unsigned long long) fork);
                return engine_fail(engine, CAUSE_INTERNAL, r);
        }
        *ret_merging = merging;
        merging = MERGING_EMPTY; /* NOLINT(*-deadcode.DeadStores): its cleanup reads it */
        return 0;
}

/* ---- marks --------------------------------------------------------------------------------------- */

static bool is_conflict(const Merging *merging, const char *path) {
        static const char work[] = "/work/";
        const cJSON *conflict;

        if (merging->conflicting > (uint64_t) cJSON_GetArraySize(merging->conflicts))
                return true;
        if (strncmp(path, work, sizeof(work) - 1) == 0)
                path += sizeof(work) - 1;
        cJSON_ArrayForEach(conflict, merging->conflicts) {
                const char *name = json_text(conflict, "path");

                if (name && strcmp(name, path) == 0)
                        return true;
        }
        return false;
}

typedef struct Marks {
        const Merging *merging;
        uint64_t fork;
        unsigned n;
        bool cut;
} Marks;

/* In all of the tree, or in the file at @path. */
static int look(Engine *engine, Marks *marks, const char *path, Error *err) {
        SCOPED(link_answer_deinit) LinkAnswer answer = LINK_ANSWER_EMPTY;
        cJSON *params = cJSON_CreateObject();
        const cJSON *match;
        int r;

        (void) json_add_text(params, "kind", "grep");
        (void) json_add_text(params, "pattern", "^(<<<<<<< ours|>>>>>>> theirs)$");
        (void) json_add_number(params, "fork", marks->fork);
        if (path)
                (void) json_add_text(params, "path", path);
        r = engine_call(engine, "search", params, &answer, err);
        if (r < 0)
                return r;
        cJSON_ArrayForEach(match, json_get(answer.result, "matches")) {
                const char *found = json_text(match, "path");

                marks->n += found && is_conflict(marks->merging, found);
        }
        marks->cut = json_true(answer.result, "cut");
        return 0;
}

/*
 * Where there are more matches than a search gives, marks of others could hide ours: then the files are looked
 * at one by one, of which one holds a few. Where more are in conflict than are named, every file counts.
 */
int workspace_marked(Engine *engine, const Merging *merging, uint64_t fork, Error *err) {
        Marks marks = { .merging = merging, .fork = fork };
        const cJSON *conflict;
        int r = look(engine, &marks, NULL, err);

        if (r < 0 || marks.n > 0 || !marks.cut)
                return r < 0 ? r : (int) marks.n;
        cJSON_ArrayForEach(conflict, merging->conflicts) {
                const char *name = json_text(conflict, "path");

                r = name ? look(engine, &marks, name, err) : 0;
                if (r < 0)
                        return r;
        }
        return (int) marks.n;
}
