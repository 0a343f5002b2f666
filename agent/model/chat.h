#pragma once
/*
 * chat: OpenAI's Chat Completions as text: a request's body from a thread, a ModelReply from an answer's
 * body. Pure: no sockets. Knows the ways in which local servers differ: arguments as an object, calls
 * without an id, null or parted content, reasoning beside it.
 */
#include "agent/model/provider.h"

/**
 * chat_request() - the body of POST /chat/completions
 * @model: name of the model, may be ""
 *
 * Arguments that are no JSON object are sent back as {}: several servers parse them for their chat
 * template and fail on them. The result that follows quotes what the model really gave.
 *
 * Returns: fresh text (free()); NULL: no memory.
 */
char *chat_request(const char *model, const ModelRequest *request);

/**
 * chat_reply() - read an answer of status 200
 * @turn:      for ids of calls that have none
 * @ret_cause: CAUSE_MODEL_REPLY, _LENGTH or _FILTER where it is no use
 *
 * Returns: 0 with @ret_reply owned by the caller; -EPROTO with a sentence; -ENOMEM.
 */
int chat_reply(const char *body, size_t n, unsigned turn, ModelReply *ret_reply, Cause *ret_cause,
               Error *err);

/* An error's body, cut; "" where it has no such member. */
typedef struct ChatError {
        char message[256];
        char type[32]; /* "warder_egress": egress says so, not the provider */
        char code[32];
} ChatError;

/** chat_error() - what an error's body says */
void chat_error(const char *body, size_t n, ChatError *ret);
