/*
 * base-run: see base-run.h. How the base's commands end does not matter here (its tests fail: that is why
 * there is a task); what they name does.
 */
#include "supervisor/front/gate/base-run.h"

#include <string.h>

#include "base/log.h"
#include "base/units.h"
#include "supervisor/front/ledger.h"

struct BaseRun {
        Front *front; /* borrowed */
        SpecRun *run; /* owned */
        uint8_t key[DIGEST_SIZE];
        BaseRunFn done;
        SpecRunEventFn event;
        void *userdata;
};

/* Everything that the result depends on */
static int make_key(Front *front, const BaseRunSpec *spec, uint8_t *ret_key, Error *err) {
        uint8_t root[DIGEST_SIZE];
        Digest *digest = NULL;
        int r = gate_root_digest(front, &spec->root, root, err);

        if (r < 0)
                return r;
        if (digest_new(&digest) < 0)
                return error_set(err, -ENOMEM, "look for the base's results");
        digest_add(digest, root, sizeof(root));
        digest_add(digest, spec->spec->digest, DIGEST_SIZE);
        digest_add(digest, spec->snapshot, DIGEST_SIZE);
        digest_add(digest, spec->policy, DIGEST_SIZE);
        digest_end(digest, ret_key);
        digest_free(digest);
        return 0;
}

static RunResult *find(Front *front, const uint8_t *key) {
        sqlite3_stmt *row =
                ledger_query(front->ledger, NULL, "SELECT result FROM base_runs WHERE key = ?1",
                             "b", key, DIGEST_SIZE);
        SCOPED(json_free) cJSON *json = NULL;
        RunResult *result = NULL;

        if (!row)
                return NULL;
        if (sqlite3_step(row) == SQLITE_ROW &&
            json_parse((const char *) sqlite3_column_text(row, 0),
                       (size_t) sqlite3_column_bytes(row, 0), 0, &json, NULL) == 0)
                (void) run_result_from_json(json, &result);
        (void) sqlite3_finalize(row);
        return result;
}

static void keep(BaseRun *run, const RunResult *result) {
        SCOPED(json_free) cJSON *json = run_result_json(result);
        autofree char *text = json ? json_print(json) : NULL;
        Error err = ERROR_EMPTY;

        if (!text ||
            ledger_exec(run->front->ledger, &err,
                        "INSERT OR REPLACE INTO base_runs(key, result, used) VALUES(?1, ?2, ?3)",
                        "bti", run->key, DIGEST_SIZE, text, (int64_t) units_now()) < 0 ||
            ledger_exec(run->front->ledger, &err,
                        "DELETE FROM base_runs WHERE key NOT IN (SELECT key FROM base_runs "
                        "ORDER BY used DESC LIMIT ?1)",
                        "i", (int64_t) BASE_RUNS_MAX) < 0)
                log_event(LOG_WARNING, "the base's results could not be kept", F_ERR(&err));
}

/*
 * A command that could not start, or that we ended, says nothing about the base's tests: ask again next
 * time. One that ran out of time does: a base that hangs would else cost that time at every verify.
 */
static bool is_whole(const RunResult *result) {
        static const uint32_t ours = BIT(CAUSE_NOT_STARTED) | BIT(CAUSE_JAIL_ENDED) |
                                     BIT(CAUSE_SUPERVISOR_LOST) | BIT(CAUSE_KILLED_BY_CLIENT);

        for (unsigned i = 0; i < result->n; i++)
                if (ours & BIT(result->commands[i].cause))
                        return false;
        return true;
}

static void on_done(const SpecRunEnd *end, void *userdata) {
        autofree BaseRun *run = userdata;

        if (!end->err && is_whole(end->result))
                keep(run, end->result);
        run->done(end->result, end->err, run->userdata);
}

static void on_command(const char *id, const RunCommand *command, void *userdata) {
        const BaseRun *run = userdata;

        if (run->event)
                run->event(id, command, run->userdata);
}

static int start(BaseRun *run, const BaseRunSpec *spec, Error *err) {
        SpecRunSpec inner = { .root = spec->root,
                              .commands = spec->spec->commands,
                              .n = spec->spec->n_commands,
                              .event = on_command,
                              .done = on_done,
                              .userdata = run };

        return spec_run_start(run->front, &inner, &run->run, err);
}

int base_run_get(Front *front, const BaseRunSpec *spec, RunResult **ret_result, BaseRun **ret_run,
                 Error *err) {
        autofree BaseRun *run = calloc(1, sizeof(*run));
        RunResult *known;
        int r;

        if (!run)
                return error_set(err, -ENOMEM, "run the base's tests");
        *run = (BaseRun){
                .front = front, .event = spec->event, .done = spec->done, .userdata = spec->userdata
        };
        r = make_key(front, spec, run->key, err);
        if (r < 0)
                return r;
        known = find(front, run->key);
        if (known) {
                *ret_result = known;
                return 1;
        }
        r = start(run, spec, err);
        if (r < 0)
                return r;
        *ret_run = TAKE_PTR(run);
        return 0;
}

BaseRun *base_run_cancel(BaseRun *run) {
        if (!run)
                return NULL;
        spec_run_cancel(run->run);
        free(run);
        return NULL;
}
