/*
 * replay: entries are found by role and turn, so that steps that run side by side may be answered in any
 * order; each entry answers once.
 */
#include "agent/model/replay.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/transcript.h"

#define SHOWN_MAX 160

typedef struct Replay {
        Provider provider;
        cJSON *entries; /* owned */
        bool *used;     /* owned; by number of the entry */
} Replay;

static uint64_t turn_of(const cJSON *entry) {
        uint64_t turn = 0;

        (void) json_number(entry, "turn", &turn);
        return turn;
}

/*
 * The entry for this call. Workers of one role that work side by side take turns as they come: of several entries
 * for a turn it is the one whose text the last message has; else the first of them, to be shown as a mismatch.
 */
static const cJSON *find_entry(const Replay *replay, const ModelRequest *request, unsigned *ret_i) {
        const cJSON *entry, *found = NULL;
        unsigned i = 0;

        cJSON_ArrayForEach(entry, replay->entries) {
                bool fits = !replay->used[i] && turn_of(entry) == request->turn &&
                            strcmp(json_text(entry, "role"), request->role) == 0;
                bool expected = fits && strstr(thread_last(request->thread),
                                               json_text(entry, "expect")) != NULL;

                if (fits && (!found || expected)) {
                        *ret_i = i;
                        found = entry;
                }
                if (expected)
                        return entry;
                i++;
        }
        return found;
}

/* The end of a text is where a tool result says what went wrong. */
static void clip(const char *text, char *shown) {
        size_t n = strlen(text);

        if (n <= SHOWN_MAX)
                (void) snprintf(shown, SHOWN_MAX + 8, "%s", text);
        else
                (void) snprintf(shown, SHOWN_MAX + 8, "%.*s … %s", SHOWN_MAX / 2 - 2, text,
                                text + n - SHOWN_MAX / 2);
}

static int mismatch(ModelCall *call, const ModelRequest *request, const char *expect, Error *err) {
        char had[SHOWN_MAX + 8], wanted[SHOWN_MAX + 8];

        call->cause = CAUSE_REPLAY_MISMATCH;
        clip(thread_last(request->thread), had);
        if (!expect)
                return error_say(err, -EPROTO,
                                 "the transcript has no entry for turn %u of %s, whose last "
                                 "message is \"%s\"",
                                 request->turn, request->role, had);
        clip(expect, wanted);
        return error_say(err, -EPROTO,
                         "turn %u of %s expects \"%s\", but the last message is \"%s\"",
                         request->turn, request->role, wanted, had);
}

/* The call's state is its entry's reply, which the transcript owns. */
static int start(Provider *provider, const ModelRequest *request, ModelCall *call, Error *err) {
        Replay *replay = container_of(provider, Replay, provider);
        unsigned i = 0;
        const cJSON *entry = find_entry(replay, request, &i);

        if (!entry)
                return mismatch(call, request, NULL, err);
        if (!strstr(thread_last(request->thread), json_text(entry, "expect")))
                return mismatch(call, request, json_text(entry, "expect"), err);
        replay->used[i] = true;
        call->state = json_get(entry, "reply");
        return 0;
}

static int take_call(const cJSON *json, unsigned number, ToolCall *ret) {
        const cJSON *arguments = json_get(json, "arguments");

        if (json_text(json, "id"))
                ret->id = strdup(json_text(json, "id"));
        else if (asprintf(&ret->id, "call-%u", number) < 0)
                ret->id = NULL;
        ret->name = strdup(json_text(json, "name"));
        ret->arguments =
                cJSON_IsString(arguments) ? strdup(arguments->valuestring) : json_print(arguments);
        return ret->id && ret->name && ret->arguments ? 0 : -ENOMEM;
}

static int take_calls(const cJSON *list, ModelReply *reply) {
        const cJSON *json;

        if (cJSON_GetArraySize(list) == 0)
                return 0;
        reply->calls = calloc((size_t) cJSON_GetArraySize(list), sizeof(*reply->calls));
        if (!reply->calls)
                return -ENOMEM;
        cJSON_ArrayForEach(json, list) {
                reply->n_calls++;
                if (take_call(json, reply->n_calls, &reply->calls[reply->n_calls - 1]) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int finish(Provider *provider, ModelCall *call, ModelReply *ret_reply, Error *err) {
        const cJSON *recorded = call->state;
        SCOPED(model_reply_deinit) ModelReply reply = { .attempts = 1 };
        const char *content = json_text(recorded, "content");
        const cJSON *usage = json_get(recorded, "usage");

        (void) provider;
        reply.text = strdup(content ? content : "");
        if (!reply.text || take_calls(json_get(recorded, "tool_calls"), &reply) < 0) {
                call->cause = CAUSE_INTERNAL;
                return error_set(err, -ENOMEM, "take a recorded reply");
        }
        (void) json_number(usage, "prompt_tokens", &reply.tokens_in);
        (void) json_number(usage, "completion_tokens", &reply.tokens_out);
        *ret_reply = reply;
        reply = (ModelReply){ 0 };
        return 0;
}

static void remark(Provider *provider, char *text, size_t size) {
        const Replay *replay = container_of(provider, Replay, provider);
        unsigned left = 0;

        for (int i = 0; i < cJSON_GetArraySize(replay->entries); i++)
                left += !replay->used[i];
        if (left > 0)
                (void) snprintf(text, size, "%u entries of the transcript were not used", left);
}

static void replay_free(Provider *provider) {
        Replay *replay = container_of(provider, Replay, provider);

        json_free(replay->entries);
        free(replay->used);
        free(replay);
}

static const ProviderKind replay_kind = { "replay", true, start, finish, remark, replay_free };

int replay_new_text(const char *text, size_t n, Provider **ret_provider, Error *err) {
        Replay *replay = calloc(1, sizeof(*replay));
        SCOPED(provider_free) Provider *provider = replay ? &replay->provider : NULL;
        int r;

        if (!replay)
                return error_set(err, -ENOMEM, "transcript");
        provider->kind = &replay_kind;
        r = json_parse(text, n, JSON_COMMENTS, &replay->entries, err);
        if (r < 0)
                return error_add(err, r, "transcript");
        r = transcript_check(replay->entries, err);
        if (r < 0)
                return r;
        replay->used = calloc((size_t) cJSON_GetArraySize(replay->entries) + 1, sizeof(bool));
        if (!replay->used)
                return error_set(err, -ENOMEM, "transcript");
        *ret_provider = TAKE_PTR(provider);
        return 0;
}

int replay_new(int fd, Provider **ret_provider, Error *err) {
        autofree char *text = NULL;
        size_t n;
        int r;

        (void) lseek(fd, 0, SEEK_SET); /* a pipe stays where it is */
        r = fd_read_all(fd, REPLAY_TEXT_MAX, &text, &n);
        if (r < 0)
                return error_set(err, r, "read the transcript");
        return replay_new_text(text, n, ret_provider, err);
}
