/*
 * files-job: what a hostile warder-files tells the front, in each kind of job: an import, an applied patch, read
 * results, a search. Input: a byte that chooses the job, one for how its command ends, then records as they
 * come out of its pipe. Jails and monitor are played. Each job ends once; it succeeds only if all was said that
 * rests on it; what a job gathers is bounded.
 */
#include "supervisor/front/jails/filesjob.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "supervisor/front/commands/commands.h"
#include "supervisor/front/gate/patch-apply.h"
#include "supervisor/front/gate/run-result.h"
#include "supervisor/front/monitor-link.h"
#include "supervisor/front/policy/policies.h"
#include "supervisor/front/store/layer-import.h"
#include "supervisor/front/store/layer-records.h"
#include "supervisor/front/store/layers.h"
#include "supervisor/front/store/snapshots.h"
#include "supervisor/front/tasks/agent-search.h"
#include "supervisor/front/tasks/task-fork.h"
#include "supervisor/front/tasks/task-model.h"
#include "tests/fuzz/fuzz.h"

#define PIECE     (32u * 1024)
#define COUNT_MAX 1001 /* more than any job keeps */

struct FrontJail {
        JailReadyFn ready;
        JailGoneFn gone;
        void *gone_data, *userdata;
};

struct Command {
        CommandDoneFn done;
        void *userdata;
        int records; /* owned: what the command writes to */
        bool runs;
};

static Front front;
static FrontJail jail;
static Command command;
static Task task; /* of the search */
static AgentCall call;
static unsigned ends;
static bool good, takes_image;
static int held; /* layers */

static void must(bool promise) {
        if (!promise)
                abort();
}

/* ---- the front's other parts, played ---------------------------------------------------------------- */

const Policy *policies_find(Policies *policies, const char *name, Error *err) {
        (void) policies;
        (void) err;
        must(strcmp(name, "files") == 0);
        return (const Policy *) &front;
}

const JailLimits *policy_limits(const Policy *policy) {
        static const JailLimits limits = { .plan = { .memory_bytes = 1 << 20 } };

        (void) policy;
        return &limits;
}

int policy_filter(const Policy *policy) {
        (void) policy;
        return -EBADF;
}

int snapshots_find(Front *of, const char *name, uint32_t uid, SnapshotInfo *ret, Error *err) {
        (void) of;
        (void) uid;
        (void) err;
        must(strcmp(name, "host") == 0);
        *ret = (SnapshotInfo){ .n_layers = 0 };
        return 0;
}

void front_touch(Front *of) {
        (void) of;
}

void layers_sweep(Front *of) {
        (void) of;
}

/* Held by an import until whoever asked for it holds it: as often held as released */
int layer_hold(Front *of, const uint8_t *digest, const char *holder, Error *err) {
        (void) of;
        (void) err;
        must(digest != NULL && strncmp(holder, "import:", 7) == 0);
        held++;
        return 0;
}

int layer_release(Front *of, const uint8_t *digest, const char *holder, Error *err) {
        (void) of;
        (void) err;
        must(digest != NULL && strncmp(holder, "import:", 7) == 0);
        held--;
        return 0;
}

int layer_record_add(Front *of, const uint8_t *digest, uint64_t bytes, uint64_t entries,
                     Error *err) {
        (void) of;
        (void) bytes;
        (void) entries;
        (void) err;
        must(digest != NULL);
        return 0;
}

/* Every second layer: what the import brings takes its place then */
bool layer_is_damaged(const Front *of, const uint8_t *digest) {
        (void) of;
        return digest[0] & 1;
}

int layer_record_judge(Front *of, const uint8_t *digest, const char *fault, Error *err) {
        (void) of;
        (void) err;
        must(layer_is_damaged(of, digest) && fault == NULL);
        return 0;
}

int layer_discard(Front *of, const uint8_t *digest, Error *err) {
        (void) of;
        (void) err;
        must(digest != NULL);
        return 0;
}

/* The new layer of an import is made at once; of everything else there is no answer. */
int monitor_layer(Monitor *monitor, RequestKind kind, uint64_t handle, const uint8_t *digest,
                  MonitorReplyFn done, void *userdata, Error *err) {
        const MonitorReply reply = { .kind = MONITOR_REPLY, .handle = 7 };

        (void) monitor;
        (void) digest;
        (void) err;
        must(kind == REQUEST_LAYER_NEW || kind == REQUEST_LAYER_REMOVE || handle == 7 ||
             handle == 8);
        if (done)
                done(&reply, NULL, 0, userdata);
        return 0;
}

int front_jail_new(Front *of, const JailSpec *spec, JailReadyFn ready, void *userdata,
                   FrontJail **ret, Error *err) {
        (void) of;
        (void) err;
        must(spec->plan.flags & PLAN_FILES_CAPS);
        jail = (FrontJail){ .ready = ready, .userdata = userdata };
        *ret = &jail;
        return 0;
}

uint64_t front_jail_handle(const FrontJail *of) {
        must(of == &jail);
        return 8;
}

void front_jail_end(FrontJail *of, JailGoneFn gone, void *userdata) {
        must(of == &jail);
        jail.gone = gone;
        jail.gone_data = userdata;
}

int command_start(FrontJail *of, const CommandSpec *spec, CommandDoneFn done, void *userdata,
                  Command **ret, Error *err) {
        (void) of;
        (void) err;
        command = (Command){ done, userdata, fcntl(spec->fds[2], F_DUPFD_CLOEXEC, 0), true };
        *ret = &command;
        return 0;
}

int gate_files_plan(Front *of, Plan *plan, Error *err) {
        (void) of;
        (void) err;
        plan_init(plan, policy_limits(NULL));
        return 0;
}

int gate_view(Plan *plan, const GateView *view, Error *err) {
        (void) plan;
        (void) view;
        (void) err;
        return 0;
}

int task_place(const Task *of, const cJSON *params, TaskPlace *ret, Error *err) {
        (void) of;
        (void) params;
        (void) err;
        *ret = (TaskPlace){ .jail = &jail };
        return 0;
}

GateLayers task_place_layers(const Task *of, const TaskPlace *place, bool with_setup) {
        (void) of;
        (void) with_setup;
        must(place->jail == &jail);
        return (GateLayers){ .n = 1 };
}

const char *task_budget_name(TaskBudget budget) {
        (void) budget;
        return "calls";
}

cJSON *task_used(const Task *of) {
        (void) of;
        return NULL;
}

cJSON *task_model_json(const Task *of) {
        (void) of;
        return NULL;
}

/* ---- calls of the agent, played --------------------------------------------------------------------- */

static void end_call(AgentCall *of, cJSON *result) {
        must(of == &call);
        json_free(result);
        of->result = json_free(of->result);
        ends++;
}

void agent_call_answer(AgentCall *of, cJSON *result, const int *fds, unsigned n_fds) {
        (void) fds;
        (void) n_fds;
        must(cJSON_GetArraySize(json_get(result, "matches")) < COUNT_MAX);
        good = true;
        end_call(of, result);
}

void agent_call_fail(AgentCall *of, const char *code, const Error *err) {
        must(code != NULL && err->text[0]);
        end_call(of, NULL);
}

/* ---- the jobs --------------------------------------------------------------------------------------- */

static void on_imported(const LayerImport *import, const Error *err, bool refused, void *userdata) {
        (void) refused;
        (void) userdata;
        must(cJSON_GetArraySize(import->cleaned) <= CLEANED_MAX);
        must(!err || err->text[0]);
        must(!import->handle || (takes_image && import->image && import->handle == 7));
        good = !err;
        ends++;
}

static void start_import(void) {
        const LayerImportSpec spec = { .input_fd = -EBADF, .takes_image = takes_image };

        must(layer_import(&front, &spec, on_imported, NULL, NULL) == 0);
}

static void on_applied(const PatchApplyEnd *end, void *userdata) {
        (void) userdata;
        must(end->err || end->upper == 8);
        must(cJSON_GetArraySize(end->touched->restored) < COUNT_MAX &&
             cJSON_GetArraySize(end->touched->dangerous) < COUNT_MAX &&
             cJSON_GetArraySize(end->touched->new_tests) < COUNT_MAX);
        good = !end->err;
        ends++;
}

static void start_image(void) {
        takes_image = true;
        start_import();
}

static void start_apply(void) {
        static const VerifySpec spec;
        const GateLayers layers = { .n = 1 };
        const Shield none = SHIELD_NONE;
        const PatchApplySpec apply = { .layers = &layers,
                                       .shield = &none,
                                       .spec = &spec,
                                       .patch_fd = -EBADF,
                                       .done = on_applied };
        PatchApply *started;

        must(patch_apply_start(&front, &apply, &started, NULL) == 0);
}

static void on_result(const Record *record, void *userdata) {
        RunResult *result = userdata;

        must(run_command_record(&result->commands[0], record) == 0);
}

/* What was read goes to the ledger and comes back from it. */
static void on_results(const FilesJobEnd *end, void *userdata) {
        SCOPED(run_result_free) RunResult *result = userdata, *again = NULL;
        SCOPED(json_free) cJSON *json = run_result_json(result);

        must(json && result->commands[0].n_tests <= RUN_TESTS_MAX);
        must(run_result_from_json(json, &again) == 0);
        must(again->commands[0].n_tests == result->commands[0].n_tests);
        good = !end->err;
        ends++;
}

static void start_results(void) {
        static const char *const argv[] = { "results", NULL };
        const VerifyCommand row = { .id = "t", .parse = PARSE_TAP };
        const FilesJobSpec spec = { .argv = argv, .input_fd = -EBADF, .output_fd = -EBADF };
        RunResult *result = run_result_new();
        FilesJob *job;

        must(result && run_result_add(result, &row));
        must(files_job_start(&front, &spec, on_result, on_results, result, &job, NULL) == 0);
}

static void start_search(void) {
        SCOPED(json_free) cJSON *params = NULL;
        static const char text[] = "{\"kind\":\"grep\",\"pattern\":\"a\"}";

        must(json_parse(text, strlen(text), 0, &params, NULL) == 0);
        task = (Task){ .front = &front };
        call = (AgentCall){ .task = &task };
        must(agent_search(&call, params, NULL) == 0);
}

/* ---- the target ------------------------------------------------------------------------------------- */

static void turn(void) {
        while (sd_event_run(front.event, 0) > 0)
                ;
}

/* What warder-files writes, as far as somebody reads it. */
static void tell(const uint8_t *data, size_t n) {
        must(fd_set_nonblock(command.records, true) == 0);
        while (n > 0) {
                ssize_t sent = write(command.records, data, n < PIECE ? n : PIECE);

                if (sent <= 0)
                        return;
                data += sent;
                n -= (size_t) sent;
                turn();
        }
}

static void end_command(uint8_t how) {
        CommandEnd end = { .cause = (Cause) (how % _CAUSE_MAX),
                           .code = how >> 4 & 3,
                           .output = { -EBADF, -EBADF } };

        fds_close(&command.records, 1);
        if (how & 0x80)
                turn(); /* the end of the pipe is seen first */
        command.done(&command, &end, command.userdata);
        if (jail.gone)
                jail.gone(jail.gone_data);
        turn();
        must(!good || (end.cause == CAUSE_EXITED && end.code == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        static void (*const starts[])(void) = { start_import, start_apply, start_results,
                                                start_search, start_image };
        Error err = ERROR_EMPTY;
        int before, after;

        if (n < 2)
                return 0;
        if (!front.event)
                must(sd_event_new(&front.event) >= 0);
        before = dup(0);
        (void) close(before);
        ends = 0;
        good = takes_image = false;
        held = 0;
        starts[data[0] % ELEMENTS(starts)]();
        (void) error_say(&err, -EIO, "played");
        jail.ready(&jail, data[0] == 0xff ? &err : NULL, jail.userdata);
        if (data[0] != 0xff) {
                tell(data + 2, n - 2);
                end_command(data[1]);
        }
        must(ends == 1 && front.jobs == 0 && front.imports == 0 && held == 0);
        after = dup(0);
        must(after == before); /* the lowest free descriptor is the one it was */
        (void) close(after);
        return 0;
}
