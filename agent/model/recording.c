/*
 * recording: see recording.h.
 */
#include "agent/model/recording.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"

#define REPLY_MAX  (512u << 10) /* of a reply that is kept; more is no line of the socket's */
#define EXPECT_MAX 160          /* bytes of a message that a recorded reply is tied to */

/*
 * The first line of the last message that says something: it ties the reply to what happened. How long a command
 * took ("exit code 0 after 12 ms") is never the same again.
 */
static char *expected(const Thread *thread) {
        const char *text = thread_last(thread), *took;
        size_t n;

        text += strspn(text, " \t\r\n");
        n = strcspn(text, "\r\n");
        took = memmem(text, n, " after ", 7);
        if (took)
                n = (size_t) (took - text);
        if (n > EXPECT_MAX)
                n = EXPECT_MAX;
        while (n > 0 && ((unsigned char) text[n] & 0xc0) == 0x80) /* never within a character */
                n--;
        return strndup(text, n);
}

static cJSON *reply_json(const ModelReply *reply) {
        cJSON *json = cJSON_CreateObject(), *calls, *usage;

        (void) json_add_text(json, "content", reply->text);
        calls = reply->n_calls > 0 ? json_add_array(json, "tool_calls") : NULL;
        for (unsigned i = 0; i < reply->n_calls; i++) {
                cJSON *call = json_push_consume(calls, cJSON_CreateObject());

                (void) json_add_text(call, "id", reply->calls[i].id);
                (void) json_add_text(call, "name", reply->calls[i].name);
                (void) json_add_text(call, "arguments", reply->calls[i].arguments);
        }
        usage = json_add_object(json, "usage");
        (void) json_add_number(usage, "prompt_tokens", reply->tokens_in);
        (void) json_add_number(usage, "completion_tokens", reply->tokens_out);
        return json;
}

/* What is too long for the supervisor is told as that: it then knows that the task cannot be replayed */
static cJSON *reply_or_length(const ModelReply *reply) {
        cJSON *json = reply_json(reply);
        autofree char *text = json ? json_print(json) : NULL;
        size_t n = text ? strlen(text) : 0;

        if (n <= REPLY_MAX)
                return json;
        json_free(json);
        json = cJSON_CreateObject();
        (void) json_add_number(json, "too_long", n);
        return json;
}

int recording_send(Session *session, const ModelRequest *request, const ModelReply *reply) {
        autofree char *expect = NULL;
        cJSON *json;

        if (session->provider->kind->is_recorded)
                return 0;
        expect = expected(request->thread);
        json = cJSON_CreateObject();
        (void) json_add_text(json, "role", request->role);
        (void) json_add_number(json, "turn", request->turn);
        (void) json_add_text(json, "expect", expect && *expect ? expect : " ");
        (void) json_add_consume(json, "reply", reply_or_length(reply));
        return link_notify(session->link, "record", json);
}
