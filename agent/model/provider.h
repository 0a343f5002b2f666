#pragma once
/*
 * provider: where replies come from, behind one struct. A call has two halves, so that the agent can do
 * other work (compile expressions) while the model thinks: start sends the request, finish waits.
 */
#include "agent/cause.h"
#include "agent/memory/thread.h"
#include "base/json.h"

typedef struct ModelRequest {
        const char *role;     /* borrowed, until finish */
        unsigned turn;        /* how many calls this role has made in this run, from 1 */
        const Thread *thread; /* borrowed, until finish */
        const cJSON *tools;   /* borrowed; [{name, description, parameters}] */
} ModelRequest;

typedef struct ModelReply {
        char *text;      /* owned, never NULL after success */
        ToolCall *calls; /* owned */
        unsigned n_calls;
        uint64_t tokens_in; /* 0 where the provider does not say */
        uint64_t tokens_out;
        unsigned attempts;
} ModelReply;

typedef struct Provider Provider;

/* One call between its two halves. Several may be under way, each of a strand of its own. */
typedef struct ModelCall {
        void *state; /* the provider's; released by finish */
        Cause cause; /* of a failure */
} ModelCall;

#define MODEL_CALL_EMPTY ((ModelCall){ 0 })

typedef struct ProviderKind {
        const char *name;
        bool is_recorded; /* its replies come from a transcript */
        /*
         * Both return 0 or negative errno, with call->cause set and the sentence in @err. A call that was
         * started is always finished.
         */
        int (*start)(Provider *provider, const ModelRequest *request, ModelCall *call, Error *err);
        int (*finish)(Provider *provider, ModelCall *call, ModelReply *ret_reply, Error *err);
        /* What is worth saying after the run, "" where nothing; may be NULL. */
        void (*remark)(Provider *provider, char *text, size_t size);
        void (*free)(Provider *provider);
} ProviderKind;

struct Provider {
        const ProviderKind *kind;
        /* Tells people what takes time (a retry); may be NULL. */
        void (*notice)(void *userdata, const char *text);
        void *userdata; /* borrowed, for notice */
};

/** model_reply_deinit() - release the parts */
void model_reply_deinit(ModelReply *reply);
static inline void model_reply_deinit_scoped(ModelReply *reply) {
        model_reply_deinit(reply);
}

/** provider_free() - by its kind; NULL is fine. Returns: NULL */
Provider *provider_free(Provider *provider);
DEFINE_SCOPED(Provider *, provider_free);
