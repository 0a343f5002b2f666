/*
 * receipt-methods: see receipt-methods.h. What is being signed is waited for: the notary answers in turn.
 */
#include "supervisor/front/gate/receipt-methods.h"

#include <stdio.h>
#include <string.h>

#include "supervisor/front/gate/notary-link.h"
#include "supervisor/front/gate/receipts.h"

typedef struct Asking {
        Front *front; /* borrowed */
        Call *call;   /* answered by us */
        char subject[ID_MAX];
} Asking;

static void add_key(const Front *front, cJSON *json) {
        const char *key = notary_key(front->notary);

        json_add_text(json, "key", key);
        json_add_text(json, "public_key", notary_pem(front->notary));
        if (notary_fault(front->notary)[0])
                json_add_text(json, "fault", notary_fault(front->notary));
}

static void answer(const Asking *asking) {
        ReceiptText text = { .fd = -EBADF };
        Error err = ERROR_EMPTY;
        cJSON *json;

        if (receipt_text(asking->front, asking->subject, &text, &err) < 0) {
                call_fail(asking->call, NULL, &err);
                return;
        }
        json = cJSON_CreateObject();
        json_add_text(json, "receipt", asking->subject);
        json_add_number(json, "lines", text.lines);
        json_add_number(json, "signed", text.n_signed);
        json_add_number(json, "signatures", text.signatures);
        json_add_bool(json, "ended", text.has_ended);
        add_key(asking->front, json);
        call_answer(asking->call, json, &text.fd, 1);
        owned_close(&text.fd);
}

static void on_sync(const Statement *statement, const char *envelope, const Error *err,
                    void *userdata) {
        autofree Asking *asking = userdata;

        (void) statement;
        (void) envelope;
        (void) err; /* then it is given as it is: `signed` says how far */
        answer(asking);
}

/* One that the caller may see; else there is none */
static int check(Front *front, Call *call, const char *subject, Error *err) {
        uint32_t owner = 0, uid = call_uid(call);
        int r = receipt_owner(front, subject, &owner, err);

        if (r == 0 && uid != 0 && uid != owner)
                r = error_say(err, -ENOENT, "there is no receipt of %s", subject);
        return r < 0 ? r : call_owns(call, owner, err);
}

static int run_receipt(Front *front, Call *call, const cJSON *params, cJSON **ret_result,
                       Error *err) {
        const char *subject = json_text(params, "task");
        Asking *asking;
        int r = check(front, call, subject, err);

        *ret_result = NULL; /* answered here, with a descriptor */
        if (r < 0)
                return r;
        asking = calloc(1, sizeof(*asking));
        if (!asking)
                return error_set(err, -ENOMEM, "read a receipt");
        *asking = (Asking){ .front = front, .call = call };
        (void) snprintf(asking->subject, sizeof(asking->subject), "%s", subject);
        if (notary_sync(front->notary, on_sync, asking, NULL) < 0)
                on_sync(NULL, NULL, NULL, asking);
        return 0;
}

const MethodRow receipt_methods[] = {
        { "task.receipt", run_receipt },
        { NULL, NULL },
};
