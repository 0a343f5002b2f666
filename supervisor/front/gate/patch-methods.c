/*
 * patch-methods: see patch-methods.h. The front looks at none of it: records and bytes go from warder-files
 * into a memfd, and the memfd goes to the client, who holds them for hostile.
 */
#include "supervisor/front/gate/patch-methods.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "base/fds.h"
#include "base/owned.h"
#include "supervisor/front/client-fds.h"
#include "supervisor/front/clients.h"
#include "supervisor/front/gate/gate-plan.h"
#include "supervisor/front/policy/quotas.h"

#define CHANGES_MAX   (1ull << 30) /* bytes that an answer may have */
#define JOB_WALL_USEC (60ull * 1000000)

typedef struct PatchCall {
        Front *front;   /* borrowed */
        Call *call;     /* owned until it is answered */
        Client *client; /* borrowed; NULL: gone */
        FilesJob *job;  /* owned */
        int out;        /* owned */
} PatchCall;

static void on_client_gone(Client *client, void *userdata);

static PatchCall *patch_call_free(PatchCall *self) {
        if (!self)
                return NULL;
        if (self->client)
                client_unwatch(self->client, on_client_gone, self);
        files_job_cancel(self->job);
        owned_close(&self->out);
        free(self);
        return NULL;
}
DEFINE_SCOPED(PatchCall *, patch_call_free);

static void on_client_gone(Client *client, void *userdata) {
        SCOPED(patch_call_free) PatchCall *self = userdata;
        Error err = ERROR_EMPTY;

        (void) client;
        self->client = NULL;
        error_say(&err, -ECANCELED, "the client is gone");
        call_fail(self->call, "peer", &err);
}

/* The job's process has ended, but its jail may still be there: seals let no one write after us. */
static int close_answer(PatchCall *self, uint64_t *ret_bytes, Error *err) {
        struct stat st = { 0 };
        int r = memfd_add_seals(self->out);

        if (r == 0 && (fstat(self->out, &st) < 0 || lseek(self->out, 0, SEEK_SET) < 0))
                r = -errno;
        if (r < 0)
                return error_set(err, r, "close the answer");
        if ((uint64_t) st.st_size > CHANGES_MAX)
                return error_say(err, -EFBIG, "the patch makes more than %llu bytes",
                                 (unsigned long long) CHANGES_MAX);
        *ret_bytes = (uint64_t) st.st_size;
        return 0;
}

static void on_done(const FilesJobEnd *end, void *userdata) {
        SCOPED(patch_call_free) PatchCall *self = userdata;
        Error err = ERROR_EMPTY;
        uint64_t bytes = 0;
        cJSON *result;

        self->job = NULL;
        if (end->err) {
                call_fail(self->call, end->refused ? "invalid" : "jail", end->err);
                return;
        }
        if (close_answer(self, &bytes, &err) < 0) {
                call_fail(self->call, NULL, &err);
                return;
        }
        result = cJSON_CreateObject();
        json_add_number(result, "bytes", bytes);
        call_answer(self->call, result, &self->out, 1);
}

static int start(PatchCall *self, bool has_base, Error *err) {
        const char *const names[] = { "change", "--names", NULL }, *const whole[] = { "change",
                                                                                      NULL };
        FilesJobSpec job = { .argv = has_base ? whole : names,
                             .input_fd = call_fd(self->call, 0),
                             .wall_usec = JOB_WALL_USEC,
                             .owner_uid = call_peer(self->call)->uid };
        int r;

        self->out = memfd_new("changes", false, err);
        if (self->out < 0)
                return self->out;
        job.output_fd = self->out;
        r = gate_files_plan(self->front, &job.plan, err);
        if (r >= 0)
                r = files_job_start(self->front, &job, NULL, on_done, self, &self->job, err);
        if (r < 0)
                return r;
        self->client = call_client(self->call);
        if (self->client && client_watch(self->client, on_client_gone, self) < 0)
                self->client = NULL;
        return 0;
}

static int run_read(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err) {
        SCOPED(patch_call_free) PatchCall *self = NULL;
        int r = client_fd_check(&front->pipes, call_fd(call, 0), CLIENT_FD_INPUT, err);

        *ret_result = NULL;
        if (r < 0) {
                call_refuse(call, "invalid", NULL,
                            "pass one descriptor: the patch, or the archive");
                return r;
        }
        r = quota_charge_create(front, call_peer(call)->uid, err);
        if (r < 0) {
                quota_refuse(front, call, err);
                return r;
        }
        self = calloc(1, sizeof(*self));
        if (!self)
                return error_set(err, -ENOMEM, "read a patch");
        *self = (PatchCall){ .front = front, .call = call, .out = -EBADF };
        r = start(self, json_true(params, "base"), err);
        if (r < 0)
                return r;
        (void) TAKE_PTR(self);
        return 0;
}

const MethodRow patch_methods[] = {
        { "patch.read", run_read },
        { NULL, NULL },
};
