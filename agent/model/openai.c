/*
 * openai: chat.c's bodies over http.c's transfers.
 */
#include "agent/model/openai.h"

#include <stdio.h>
#include <string.h>

#include "agent/model/chat.h"
#include "agent/model/http.h"

typedef struct OpenAi {
        Provider provider;
        Loop *loop;  /* borrowed */
        char *url;   /* owned */
        char *model; /* owned */
} OpenAi;

/* One call; its connection is libcurl's, which keeps it for the next. */
typedef struct OpenAiCall {
        Http *http; /* owned */
        unsigned turn;
} OpenAiCall;

static OpenAiCall *call_free(OpenAiCall *state) {
        if (state)
                http_free(state->http);
        free(state);
        return NULL;
}
DEFINE_SCOPED(OpenAiCall *, call_free);

static int start(Provider *provider, const ModelRequest *request, ModelCall *call, Error *err) {
        OpenAi *openai = container_of(provider, OpenAi, provider);
        autofree char *body = chat_request(openai->model, request);
        SCOPED(call_free) OpenAiCall *state = calloc(1, sizeof(*state));
        int r;

        call->cause = CAUSE_INTERNAL;
        if (!body || !state)
                return error_set(err, -ENOMEM, "model request");
        state->turn = request->turn;
        r = http_new(openai->loop, openai->url, &state->http, err);
        if (r < 0)
                return r;
        http_on_notice(state->http, provider->notice, provider->userdata);
        r = http_start(state->http, body, strlen(body), err);
        if (r < 0)
                return r;
        call->cause = CAUSE_NONE;
        call->state = TAKE_PTR(state);
        return 0;
}

static int transfer_failed(ModelCall *call, int r) {
        if (r == -EHOSTUNREACH)
                call->cause = CAUSE_MODEL_UNREACHABLE;
        else if (r == -EMSGSIZE)
                call->cause = CAUSE_MODEL_REPLY;
        else if (r == -ETIMEDOUT || r == -ECANCELED)
                call->cause = r == -ETIMEDOUT ? CAUSE_STEP_TIMEOUT : CAUSE_ENDED;
        else
                call->cause = r == -ECONNRESET ? CAUSE_SUPERVISOR_LOST : CAUSE_INTERNAL;
        return r;
}

/* Egress answers in the provider's place where there is no answer, or none is allowed. */
static Cause status_cause(long status, const ChatError *said) {
        if (strcmp(said->type, "warder_egress") == 0 && strcmp(said->code, "provider") == 0)
                return CAUSE_MODEL_UNREACHABLE;
        if (strcmp(said->type, "warder_egress") == 0 && strcmp(said->code, "limit") == 0)
                return CAUSE_LIMIT;
        return status == 429 ? CAUSE_MODEL_RATE_LIMIT : CAUSE_MODEL_STATUS;
}

static int status_failed(const Http *http, ModelCall *call, Error *err) {
        ChatError said;
        size_t n;
        const char *body = http_body(http, &n);
        long status = http_status(http);
        unsigned tries = http_tries(http);

        chat_error(body, n, &said);
        call->cause = status_cause(status, &said);
        if (strcmp(said.type, "warder_egress") == 0)
                return error_say(err, -EPROTO, "%s", said.message);
        return error_say(err, -EPROTO, "the model endpoint answered HTTP %ld after %u %s%s%s",
                         status, tries, tries == 1 ? "try" : "tries", *said.message ? ": " : "",
                         said.message);
}

static int finish(Provider *provider, ModelCall *call, ModelReply *ret_reply, Error *err) {
        SCOPED(call_free) OpenAiCall *state = TAKE_PTR(call->state);
        const char *body;
        size_t n;
        int r;

        (void) provider;
        r = http_finish(state->http, err);
        if (r < 0)
                return transfer_failed(call, r);
        if (http_status(state->http) != 200)
                return status_failed(state->http, call, err);
        body = http_body(state->http, &n);
        r = chat_reply(body, n, state->turn, ret_reply, &call->cause, err);
        if (r >= 0)
                ret_reply->attempts = http_tries(state->http);
        return r;
}

static void openai_free(Provider *provider) {
        OpenAi *openai = container_of(provider, OpenAi, provider);

        free(openai->url);
        free(openai->model);
        free(openai);
}

static const ProviderKind openai_kind = { "openai", false, start, finish, NULL, openai_free };

int openai_new(const char *base_url, const char *model, Loop *loop, Provider **ret_provider,
               Error *err) {
        OpenAi *openai = calloc(1, sizeof(*openai));
        SCOPED(provider_free) Provider *provider = openai ? &openai->provider : NULL;

        if (!openai)
                return error_set(err, -ENOMEM, "model endpoint");
        openai->loop = loop;
        provider->kind = &openai_kind;
        if (!base_url || !*base_url)
                return error_say(err, -EINVAL, "the model route has no base_url");
        openai->model = strdup(model ? model : "");
        if (asprintf(&openai->url, "%s/chat/completions", base_url) < 0)
                openai->url = NULL;
        if (!openai->model || !openai->url)
                return error_set(err, -ENOMEM, "model endpoint");
        *ret_provider = TAKE_PTR(provider);
        return 0;
}
