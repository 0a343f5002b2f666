/*
 * chat: JSON in, JSON out.
 */
#include "agent/model/chat.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"

/* Arguments as an object's text, whatever the model gave. */
static const char *object_text(const char *arguments) {
        SCOPED(json_free) cJSON *parsed = NULL;

        if (json_parse(arguments, strlen(arguments), 0, &parsed, NULL) < 0 ||
            !cJSON_IsObject(parsed))
                return "{}";
        return arguments;
}

static void add_calls(cJSON *message, const Message *from) {
        cJSON *list = json_add_array(message, "tool_calls");

        for (unsigned i = 0; i < from->n_calls; i++) {
                const ToolCall *call = &from->calls[i];
                cJSON *item = json_push_consume(list, cJSON_CreateObject()), *function;

                (void) json_add_text(item, "id", call->id);
                (void) json_add_text(item, "type", "function");
                function = json_add_object(item, "function");
                (void) json_add_text(function, "name", call->name);
                (void) json_add_text(function, "arguments", object_text(call->arguments));
        }
}

static cJSON *add_message(cJSON *list, const Message *from) {
        static const char *const roles[] = { [MESSAGE_SYSTEM] = "system",
                                             [MESSAGE_USER] = "user",
                                             [MESSAGE_ASSISTANT] = "assistant",
                                             [MESSAGE_RESULT] = "tool" };
        cJSON *message = json_push_consume(list, cJSON_CreateObject());
        cJSON *last = json_add_text(message, "role", roles[from->kind]);

        if (from->kind == MESSAGE_RESULT)
                last = json_add_text(message, "tool_call_id", from->call_id);
        if (from->n_calls > 0)
                add_calls(message, from);
        if (from->n_calls > 0 && !*from->text)
                return json_add_consume(message, "content", cJSON_CreateNull());
        return last ? json_add_text(message, "content", from->text) : NULL;
}

/*
 * Where turns were dropped, the last pinned message says so. A message of its own would put two of the
 * user's in a row, which some chat templates refuse.
 */
static cJSON *add_note(cJSON *message, const Thread *thread) {
        autofree char *text = NULL;

        if (asprintf(&text, "%s\n\n[%u earlier turns of this work were left out to save space.]",
                     json_text(message, "content"), thread->dropped) < 0)
                return NULL;
        cJSON_DeleteItemFromObjectCaseSensitive(message, "content");
        return json_add_text(message, "content", text);
}

static cJSON *add_messages(cJSON *body, const Thread *thread) {
        cJSON *list = json_add_array(body, "messages"), *last = list, *pinned = NULL;

        for (unsigned i = 0; i < thread->n && last; i++) {
                last = add_message(list, &thread->messages[i]);
                if (thread->messages[i].pinned)
                        pinned = cJSON_GetArrayItem(list, (int) i);
        }
        if (last && pinned && thread->dropped > 0)
                last = add_note(pinned, thread);
        return last;
}

static cJSON *add_tools(cJSON *body, const cJSON *tools) {
        cJSON *list = json_add_array(body, "tools"), *last = list;
        const cJSON *tool;

        cJSON_ArrayForEach(tool, tools) {
                cJSON *item = json_push_consume(list, cJSON_CreateObject());

                (void) json_add_text(item, "type", "function");
                last = json_add_consume(item, "function", cJSON_Duplicate(tool, true));
                if (!last)
                        return NULL;
        }
        return last ? json_add_text(body, "tool_choice", "auto") : NULL;
}

char *chat_request(const char *model, const ModelRequest *request) {
        SCOPED(json_free) cJSON *body = cJSON_CreateObject();
        cJSON *last = json_add_text(body, "model", model);

        if (last)
                last = add_messages(body, request->thread);
        if (last && cJSON_GetArraySize(request->tools) > 0)
                last = add_tools(body, request->tools);
        if (last)
                last = json_add_bool(body, "stream", false);
        return last ? json_print(body) : NULL;
}

/* Content is a text, null, or a list of parts of which the texts count. Fresh; NULL: no memory. */
static char *content_text(const cJSON *content) {
        Buf buf = BUF_EMPTY(4 * 1024 * 1024);
        const cJSON *part;
        char *text;

        if (cJSON_IsString(content))
                return strdup(content->valuestring);
        cJSON_ArrayForEach(part, content) {
                const char *piece = json_text(part, "text");

                if (piece && buf_append(&buf, piece, strlen(piece)) < 0)
                        break; /* what fits is shown */
        }
        text = buf_take(&buf);
        buf_deinit(&buf);
        return text;
}

static int take_call(const cJSON *json, unsigned turn, unsigned number, ToolCall *ret) {
        const cJSON *function = json_get(json, "function");
        const cJSON *arguments = json_get(function, "arguments");
        const char *id = json_text(json, "id"), *name = json_text(function, "name");

        if (id && *id)
                ret->id = strdup(id);
        else if (asprintf(&ret->id, "call-%u-%u", turn, number) < 0)
                ret->id = NULL;
        ret->name = strdup(name ? name : "");
        if (cJSON_IsString(arguments))
                ret->arguments = strdup(arguments->valuestring);
        else
                ret->arguments = arguments && !cJSON_IsNull(arguments) ? json_print(arguments)
                                                                       : strdup("{}");
        return ret->id && ret->name && ret->arguments ? 0 : -ENOMEM;
}

static int take_calls(const cJSON *list, unsigned turn, ModelReply *reply) {
        const cJSON *json;
        int n = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0;

        if (n == 0)
                return 0;
        reply->calls = calloc((size_t) n, sizeof(*reply->calls));
        if (!reply->calls)
                return -ENOMEM;
        cJSON_ArrayForEach(json, list) {
                reply->n_calls++;
                if (take_call(json, turn, reply->n_calls, &reply->calls[reply->n_calls - 1]) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int useless(Cause cause, Cause *ret_cause, Error *err, const char *text,
                   const char *detail) {
        *ret_cause = cause;
        return error_say(err, -EPROTO, "%s%s%.300s", text, *detail ? ": " : "", detail);
}

/* The ends that are no end of a turn. */
static int check_finish(const cJSON *choice, const cJSON *message, Cause *ret_cause, Error *err) {
        const char *reason = json_text(choice, "finish_reason"),
                   *refusal = json_text(message, "refusal");

        if (reason && strcmp(reason, "length") == 0)
                return useless(CAUSE_MODEL_LENGTH, ret_cause, err,
                               "the model's reply was cut at its length limit: give it a larger "
                               "context or a smaller task",
                               "");
        if (reason && strcmp(reason, "content_filter") == 0)
                return useless(CAUSE_MODEL_FILTER, ret_cause, err,
                               "the provider's content filter stopped the reply", "");
        if (refusal && *refusal)
                return useless(CAUSE_MODEL_FILTER, ret_cause, err, "the model refused", refusal);
        return 0;
}

static int take_message(const cJSON *message, unsigned turn, ModelReply *reply, Error *err) {
        reply->text = content_text(json_get(message, "content"));
        if (!reply->text || take_calls(json_get(message, "tool_calls"), turn, reply) < 0)
                return error_set(err, -ENOMEM, "take the model's reply");
        return 0;
}

/* The answer, which has a choice with a message. */
static int read_answer(const char *body, size_t n, cJSON **ret_json, Cause *ret_cause, Error *err) {
        SCOPED(json_free) cJSON *json = NULL;
        Error why = ERROR_EMPTY;
        ChatError said;
        int r = json_parse(body, n, 0, &json, &why);

        if (r == -ENOMEM)
                return error_set(err, r, "read the model's reply");
        if (r < 0)
                return useless(CAUSE_MODEL_REPLY, ret_cause, err,
                               "the endpoint's answer is no valid JSON", why.text);
        if (!cJSON_IsObject(
                    json_get(cJSON_GetArrayItem(json_get(json, "choices"), 0), "message"))) {
                chat_error(body, n, &said);
                return useless(CAUSE_MODEL_REPLY, ret_cause, err,
                               "the endpoint's answer has no choices[0].message: it is no chat "
                               "completion",
                               said.message);
        }
        *ret_json = TAKE_PTR(json);
        return 0;
}

int chat_reply(const char *body, size_t n, unsigned turn, ModelReply *ret_reply, Cause *ret_cause,
               Error *err) {
        SCOPED(json_free) cJSON *json = NULL;
        SCOPED(model_reply_deinit) ModelReply reply = { 0 };
        const cJSON *choice, *message;
        int r;

        *ret_cause = CAUSE_INTERNAL;
        r = read_answer(body, n, &json, ret_cause, err);
        if (r < 0)
                return r;
        choice = cJSON_GetArrayItem(json_get(json, "choices"), 0);
        message = json_get(choice, "message");
        r = check_finish(choice, message, ret_cause, err);
        if (r >= 0)
                r = take_message(message, turn, &reply, err);
        if (r < 0)
                return r;
        (void) json_number(json_get(json, "usage"), "prompt_tokens", &reply.tokens_in);
        (void) json_number(json_get(json, "usage"), "completion_tokens", &reply.tokens_out);
        *ret_reply = reply;
        reply = (ModelReply){ 0 };
        return 0;
}

static void copy_text(const cJSON *object, const char *name, char *text, size_t size) {
        if (json_text(object, name))
                (void) snprintf(text, size, "%s", json_text(object, name));
}

void chat_error(const char *body, size_t n, ChatError *ret) {
        SCOPED(json_free) cJSON *json = NULL;
        const cJSON *error;

        *ret = (ChatError){ 0 };
        if (json_parse(body, n, 0, &json, NULL) < 0)
                return;
        error = json_get(json, "error");
        copy_text(json, "message", ret->message, sizeof(ret->message));
        copy_text(json, "error", ret->message, sizeof(ret->message)); /* a bare sentence */
        copy_text(error, "message", ret->message, sizeof(ret->message));
        copy_text(error, "type", ret->type, sizeof(ret->type));
        copy_text(error, "code", ret->code, sizeof(ret->code));
}
