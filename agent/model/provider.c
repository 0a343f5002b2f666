/*
 * provider: what all kinds share.
 */
#include "agent/model/provider.h"

void model_reply_deinit(ModelReply *reply) {
        free(reply->text);
        tool_calls_free(reply->calls, reply->n_calls);
        *reply = (ModelReply){ 0 };
}

Provider *provider_free(Provider *provider) {
        if (provider)
                provider->kind->free(provider);
        return NULL;
}
