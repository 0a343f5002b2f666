/*
 * chat: an answer of a hostile endpoint, as the agent reads it, and the count that egress makes of it.
 * What was taken goes into a next request, which must be JSON again.
 */
#include "agent/model/chat.h"

#include <stdlib.h>
#include <string.h>

#include "supervisor/egress/usage.h"
#include "tests/fuzz/fuzz.h"

static void send_back(const ModelReply *reply) {
        SCOPED(thread_free) Thread *thread = NULL;
        SCOPED(json_free) cJSON *json = NULL;
        ModelRequest request = { .role = "r", .turn = 2 };
        autofree char *body = NULL;

        if (thread_new(&thread) < 0 ||
            thread_add_reply(thread, reply->text, reply->calls, reply->n_calls) < 0)
                abort();
        request.thread = thread;
        body = chat_request("m", &request);
        if (!body || json_parse(body, strlen(body), 0, &json, NULL) < 0)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        SCOPED(model_reply_deinit) ModelReply reply = { 0 };
        Usage usage = USAGE_EMPTY;
        Error err = ERROR_EMPTY;
        Cause cause = CAUSE_NONE;

        if (chat_reply((const char *) data, n, 1, &reply, &cause, &err) < 0) {
                if (cause == CAUSE_NONE || !err.text[0] || reply.text)
                        abort();
        } else {
                send_back(&reply);
        }
        usage_take(&usage, (const char *) data, n);
        usage_end(&usage);
        if (usage_guess(&usage) > n)
                abort();
        usage_deinit(&usage);
        return 0;
}
