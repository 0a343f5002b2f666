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
        Http *http;    /* owned */
        char *model;   /* owned */
        unsigned turn; /* of the call under way */
} OpenAi;

static int start(Provider *provider, const ModelRequest *request, Error *err) {
        OpenAi *openai = container_of(provider, OpenAi, provider);
        autofree char *body = chat_request(openai->model, request);
        int r;

        openai->turn = request->turn;
        provider->cause = CAUSE_INTERNAL;
        if (!body)
                return error_set(err, -ENOMEM, "model request");
        http_on_notice(openai->http, provider->notice, provider->userdata);
        r = http_start(openai->http, body, strlen(body), err);
        if (r < 0)
                return r;
        provider->cause = CAUSE_NONE;
        return 0;
}

static int transfer_failed(Provider *provider, int r) {
        if (r == -EHOSTUNREACH)
                provider->cause = CAUSE_MODEL_UNREACHABLE;
        else if (r == -EMSGSIZE)
                provider->cause = CAUSE_MODEL_REPLY;
        else
                provider->cause = r == -ECONNRESET ? CAUSE_SUPERVISOR_LOST : CAUSE_INTERNAL;
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

static int status_failed(OpenAi *openai, Error *err) {
        ChatError said;
        size_t n;
        const char *body = http_body(openai->http, &n);
        long status = http_status(openai->http);
        unsigned tries = http_tries(openai->http);

        chat_error(body, n, &said);
        openai->provider.cause = status_cause(status, &said);
        if (strcmp(said.type, "warder_egress") == 0)
                return error_say(err, -EPROTO, "%s", said.message);
        return error_say(err, -EPROTO, "the model endpoint answered HTTP %ld after %u %s%s%s",
                         status, tries, tries == 1 ? "try" : "tries", *said.message ? ": " : "",
                         said.message);
}

static int finish(Provider *provider, ModelReply *ret_reply, Error *err) {
        OpenAi *openai = container_of(provider, OpenAi, provider);
        const char *body;
        size_t n;
        int r;

        r = http_finish(openai->http, err);
        if (r < 0)
                return transfer_failed(provider, r);
        if (http_status(openai->http) != 200)
                return status_failed(openai, err);
        body = http_body(openai->http, &n);
        r = chat_reply(body, n, openai->turn, ret_reply, &provider->cause, err);
        if (r >= 0)
                ret_reply->attempts = http_tries(openai->http);
        return r;
}

static void openai_free(Provider *provider) {
        OpenAi *openai = container_of(provider, OpenAi, provider);

        http_free(openai->http);
        free(openai->model);
        free(openai);
}

static const ProviderKind openai_kind = { "openai", false, start, finish, NULL, openai_free };

int openai_new(const char *base_url, const char *model, Loop *loop, Provider **ret_provider,
               Error *err) {
        OpenAi *openai = calloc(1, sizeof(*openai));
        SCOPED(provider_free) Provider *provider = openai ? &openai->provider : NULL;
        autofree char *url = NULL;
        int r;

        if (!openai)
                return error_set(err, -ENOMEM, "model endpoint");
        provider->kind = &openai_kind;
        if (!base_url || !*base_url)
                return error_say(err, -EINVAL, "the model route has no base_url");
        openai->model = strdup(model ? model : "");
        if (!openai->model || asprintf(&url, "%s/chat/completions", base_url) < 0)
                return error_set(err, -ENOMEM, "model endpoint");
        r = http_new(loop, url, &openai->http, err);
        if (r < 0)
                return r;
        *ret_provider = TAKE_PTR(provider);
        return 0;
}
