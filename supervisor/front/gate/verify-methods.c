/*
 * verify-methods: see verify-methods.h. Whatever can be said about the patch is a verdict, also where
 * nothing ran (a tar or a patch that was refused, a setup that failed); a protocol error is left for
 * requests that are wrong.
 */
#include "supervisor/front/gate/verify-methods.h"

#include <stdio.h>
#include <string.h>

#include "supervisor/front/client-fds.h"
#include "supervisor/front/gate/receipts.h"
#include "supervisor/front/gate/spec-take.h"
#include "supervisor/front/gate/verdict-json.h"
#include "supervisor/front/gate/verify.h"
#include "supervisor/front/policy/jail-quotas.h"
#include "supervisor/front/policy/policy-take.h"
#include "supervisor/front/policy/quotas.h"
#include "supervisor/front/policy/turns.h"
#include "supervisor/front/store/snapshots.h"
#include "supervisor/front/tasks/task-receipt.h"
#include "supervisor/front/tasks/tasks.h"
#include "supervisor/front/verify-schema.h"

#define NAME_MAX_BYTES 80

typedef struct VerifyCall {
        Front *front;   /* borrowed */
        Call *call;     /* owned until it is answered */
        Client *client; /* borrowed; NULL: gone */
        VerifySpec *spec;
        char snapshot[NAME_MAX_BYTES];
        PolicyUse policy;
        JailLimits limits;
        int patch_fd;  /* owned */
        bool has_name; /* the caller names the base */
        uint8_t name[DIGEST_SIZE];
        WorkBaseJob *job; /* owned, one at a time */
        Verify *verify;
        WorkBase base;
        Receipt receipt;
} VerifyCall;

static void on_client_gone(Client *client, void *userdata);

static VerifyCall *verify_call_free(VerifyCall *self) {
        if (!self)
                return NULL;
        /* unless it has ended */
        receipt_end(self->front, &self->receipt, self->client ? "error" : "cancelled", NULL);
        if (self->client)
                client_unwatch(self->client, on_client_gone, self);
        work_base_cancel(self->job);
        verify_cancel(self->verify);
        work_base_release(tasks_holds(self->front->tasks), &self->base);
        verify_spec_free(self->spec);
        owned_close(&self->patch_fd);
        free(self);
        return NULL;
}
DEFINE_SCOPED(VerifyCall *, verify_call_free);

static void on_client_gone(Client *client, void *userdata) {
        SCOPED(verify_call_free) VerifyCall *self = userdata;
        Error err = ERROR_EMPTY;

        (void) client;
        self->client = NULL;
        error_say(&err, -ECANCELED, "the client is gone");
        call_fail(self->call, "peer", &err);
}

static void tell(const char *phase, cJSON *data, void *userdata) {
        VerifyCall *self = userdata;
        cJSON *params = data ? data : cJSON_CreateObject();

        task_receipt_test(self->front, &self->receipt, phase, params);
        json_add_text(params, "phase", phase);
        call_notify(self->call, "verify.event", params);
}

static void on_phase(WorkPhase phase, void *userdata) {
        tell(work_phase_name(phase), NULL, userdata);
}

static void on_setup(const char *id, const RunCommand *run, void *userdata) {
        VerifyCall *self = userdata;

        (void) id;
        task_receipt_setup(self->front, &self->receipt, run);
}

/* ---- answers ------------------------------------------------------------------------------------- */

static void answer(VerifyCall *self, const cJSON *verdict, const char *detail, int exit_code) {
        SCOPED(json_free) cJSON *result = cJSON_Duplicate(verdict, true);
        Error err = ERROR_EMPTY;

        if (receipt_close(self->front, &self->receipt, verdict, "ended") < 0) {
                error_say(&err, -EIO, "the verdict could not be written to its receipt");
                call_fail(self->call, "internal", &err);
                return;
        }
        json_add_text(result, "receipt", self->receipt.facts.subject);
        json_add_text(result, "detail", detail ? detail : "");
        if (json_add_number(result, "exit", (uint64_t) exit_code)) {
                call_answer(self->call, TAKE_PTR(result), NULL, 0);
                receipts_prune(self->front, self->receipt.owner); /* nobody waits any more */
                return;
        }
        error_set(&err, -ENOMEM, "tell the verdict");
        call_fail(self->call, "internal", &err);
}

static void on_verdict(const VerifyEnd *end, void *userdata) {
        SCOPED(verify_call_free) VerifyCall *self = userdata;

        self->verify = NULL;
        answer(self, end->json, end->detail, verdict_exit(end->verdict));
}

/* A verdict `error` for what ended before the patch was looked at */
static void answer_error(VerifyCall *self, const char *cause, const WorkBaseEnd *why) {
        RunCommand output = { .id = "setup", .code = 1 };
        RunResult run = { .n = 0 };
        Verdict verdict;
        VerdictFacts facts = { .verdict = &verdict, .n = 1, .spec = self->spec->digest };
        SCOPED(json_free) cJSON *json = NULL;
        autofree char *text = NULL, *detail = NULL;

        if (verdict_init(&verdict) < 0) {
                call_fail(self->call, "internal", why->err);
                return;
        }
        verdict_say(&verdict, VERDICT_ERROR, cause, "%s", why->err->text);
        verdict.limit = why->limit;
        json = verdict_json(&facts);
        if (why->detail) { /* shown as the output of a command that failed */
                text = strdup(why->detail);
                output.output = text;
                run = (RunResult){ .commands = { output }, .n = 1 };
                facts.run = &run;
        }
        detail = verdict_detail(&facts);
        answer(self, json, detail, verdict_exit(&verdict));
        verdict_deinit(&verdict);
}

/* ---- the way ------------------------------------------------------------------------------------- */

static int start_verify(VerifyCall *self, Error *err) {
        VerifyInput input = { .spec = self->spec,
                              .base = &self->base,
                              .snapshot = self->snapshot,
                              .policy = &self->policy,
                              .limits = &self->limits,
                              .owner_uid = call_peer(self->call)->uid,
                              .patch_fd = self->patch_fd,
                              .n = 1,
                              .event = tell,
                              .done = on_verdict,
                              .userdata = self };

        return verify_start(self->front, &input, &self->verify, err);
}

static void note_base(VerifyCall *self) {
        cJSON *json = cJSON_CreateObject();
        char text[DIGEST_TEXT_MAX];

        json_add_text(json, "base", digest_format(self->base.base, text));
        if (self->base.has_setup)
                json_add_text(json, "setup", digest_format(self->base.setup, text));
        (void) receipt_add(self->front, &self->receipt, "base", json);
}

static void on_base(const WorkBaseEnd *end, void *userdata) {
        VerifyCall *self = userdata;
        Error err = ERROR_EMPTY;

        self->job = NULL;
        if (!end->err) {
                self->base = *end->base;
                note_base(self);
                if (start_verify(self, &err) == 0)
                        return;
                call_fail(self->call, "jail", &err);
        } else if (end->refused) {
                answer_error(self, work_refusal_name(end->phase), end);
        } else {
                answer_error(self, "jail", end);
        }
        verify_call_free(self);
}

static void copy_name(char *to, const cJSON *params, const char *name, const char *otherwise) {
        const char *text = json_text(params, name);

        (void) snprintf(to, NAME_MAX_BYTES, "%s", text ? text : otherwise);
}

/* Names that are there, limits that may be had: what is wrong here is a wrong request, not a verdict */
static int resolve(VerifyCall *self, const cJSON *params, Error *err) {
        const PolicyAsk ask = { .policy = json_get(params, "policy"),
                                .otherwise = verify_policy.name,
                                .limits = json_get(params, "limits") };
        PolicyTaken policy;
        SnapshotInfo info;
        int r;

        copy_name(self->snapshot, params, "snapshot", "host");
        r = snapshots_find(self->front, self->snapshot, call_peer(self->call)->uid, &info, err);
        if (r < 0) {
                call_refuse(self->call, "not_found", "/snapshot", NULL);
                return r;
        }
        r = policy_take(self->front, self->call, &ask, &policy, err);
        if (r >= 0 && strcmp(self->snapshot, "host") == 0)
                r = policy_take_host_root(self->call, &policy, err);
        if (r < 0)
                return r;
        self->policy = policy.use;
        self->limits = policy.rules.limits;
        return r;
}

static int read_request(VerifyCall *self, const cJSON *params, Error *err) {
        unsigned n = json_true(params, "held") ? 3 : 2;
        int r;

        if (call_n_fds(self->call) != n) {
                call_refuse(
                        self->call, "invalid", NULL,
                        "pass two descriptors: the base as a tar, then the patch; with \"held\" "
                        "a third: the held-back tests as a tar");
                return error_say(err, -EINVAL, "verify.run takes %u descriptors here, %u came", n,
                                 call_n_fds(self->call));
        }
        for (unsigned i = 0; i < n; i++) {
                r = client_fd_check(&self->front->pipes, call_fd(self->call, i), CLIENT_FD_INPUT,
                                    err);
                if (r < 0)
                        return r;
        }
        if (json_text(params, "base")) /* its form is checked by the schema */
                self->has_name = digest_parse(json_text(params, "base"), self->name) == 0;
        r = spec_take(self->call, params, &self->spec, err);
        if (r == 0)
                r = resolve(self, params, err);
        return r < 0 ? r : spec_take_bounds(self->call, self->spec, &self->limits, err);
}

static int begin_receipt(VerifyCall *self, Error *err) {
        uint32_t uid = call_peer(self->call)->uid;
        cJSON *json = cJSON_CreateObject();
        char id[ID_MAX], text[DIGEST_TEXT_MAX];
        int r;

        id_new('v', id);
        json_add_text(json, "spec", digest_format(self->spec->digest, text));
        json_add_text(json, "snapshot_name", self->snapshot);
        json_add_text(json, "policy_name", self->policy.shown);
        json_add_number(json, "owner_uid", uid);
        json_add_text(json, "version", PACKAGE_VERSION);
        r = receipt_begin(self->front, &self->receipt, id, uid, json);
        return r < 0 ? error_say(err, r, "the receipt of this verify could not be begun") : 0;
}

static int start(VerifyCall *self, Error *err) {
        autoclose int tar_fd = call_take_fd(self->call, 0);
        autoclose int held_fd = call_n_fds(self->call) > 2 ? call_take_fd(self->call, 2) : -EBADF;
        WorkBaseSpec spec = { .tar_fd = tar_fd,
                              .name = self->has_name ? self->name : NULL,
                              .held_fd = held_fd,
                              .spec = self->spec,
                              .snapshot = self->snapshot,
                              .policy = &self->policy,
                              .limits = &self->limits,
                              .owner_uid = call_peer(self->call)->uid,
                              .phase = on_phase,
                              .setup = on_setup,
                              .done = on_base,
                              .userdata = self };
        int r;

        self->patch_fd = call_take_fd(self->call, 1);
        if (call_client(self->call)) {
                r = client_watch(call_client(self->call), on_client_gone, self);
                if (r < 0)
                        return error_set(err, r, "watch the client");
                self->client = call_client(self->call);
        }
        r = begin_receipt(self, err);
        return r < 0 ? r
                     : work_base_start(self->front, tasks_holds(self->front->tasks), &spec,
                                       &self->job, err);
}

static void on_turn(const Error *err, void *userdata) {
        SCOPED(verify_call_free) VerifyCall *self = userdata;
        Error own = ERROR_EMPTY;

        if (err) {
                call_fail(self->call, NULL, err);
        } else if (start(self, &own) < 0) {
                quota_refuse(self->front, self->call, &own);
                call_fail(self->call, NULL, &own);
        } else {
                (void) TAKE_PTR(self);
        }
}

static int take_turn(VerifyCall *self, Error *err) {
        const PlanLimits *limits = &self->limits.plan;
        const TurnSpec turn = { self->call, limits, on_turn, self, 1 };
        uint32_t uid = call_peer(self->call)->uid;
        int r = quota_check_jail(self->front, uid, limits, err);

        if (r >= 0)
                r = quota_charge_create(self->front, uid, err);
        if (r >= 0)
                r = turn_take(self->front, &turn, err);
        return r == 0 ? start(self, err) : r;
}

static int run_verify(Front *front, Call *call, const cJSON *params, cJSON **ret_result,
                      Error *err) {
        SCOPED(verify_call_free) VerifyCall *self = calloc(1, sizeof(*self));
        int r;

        *ret_result = NULL;
        if (!self)
                return error_set(err, -ENOMEM, "verify a patch");
        *self = (VerifyCall){ .front = front, .call = call, .patch_fd = -EBADF };
        r = read_request(self, params, err);
        if (r == 0)
                r = take_turn(self, err);
        if (r < 0)
                return r;
        (void) TAKE_PTR(self);
        return 0;
}

const MethodRow verify_methods[] = {
        { "verify.run", run_verify },
        { NULL, NULL },
};
