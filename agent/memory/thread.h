#pragma once
/*
 * thread: the conversation of one agent step, provider-neutral, and what of it is still shown to the
 * model. Pinned messages (system prompt, task, plan) never go. The rest goes by whole turns, oldest
 * first: an assistant message and the results of its calls leave together, because every provider
 * refuses a result without its call.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/owned.h"

#define THREAD_KEEP_TURNS 2 /* the newest turns stay even above the budget */

typedef enum MessageKind {
        MESSAGE_SYSTEM,
        MESSAGE_USER,
        MESSAGE_ASSISTANT,
        MESSAGE_RESULT
} MessageKind;

typedef struct ToolCall {
        char *id;        /* owned */
        char *name;      /* owned */
        char *arguments; /* owned; JSON text as the model gave it, not yet checked */
} ToolCall;

typedef struct Message {
        MessageKind kind;
        bool pinned;
        unsigned turn;   /* 0 before the first reply */
        char *text;      /* owned, never NULL */
        char *call_id;   /* owned; RESULT: which call it answers */
        ToolCall *calls; /* owned; ASSISTANT */
        unsigned n_calls;
} Message;

typedef struct Thread {
        Message *messages; /* owned */
        unsigned n;
        unsigned room;
        unsigned turns;   /* replies so far */
        unsigned dropped; /* turns that went */
} Thread;

/** thread_new() - an empty conversation. Returns: 0 or -ENOMEM */
int thread_new(Thread **ret_thread);
/** thread_free() - release all. Returns: NULL */
Thread *thread_free(Thread *thread);
DEFINE_SCOPED(Thread *, thread_free);

/** tool_calls_free() - release @n calls and the array. Returns: NULL */
ToolCall *tool_calls_free(ToolCall *calls, unsigned n);

/** thread_add_text() - a system or user message (copied). Returns: 0 or -ENOMEM */
int thread_add_text(Thread *thread, MessageKind kind, const char *text, bool pinned);

/** thread_add_reply() - an assistant message; begins a new turn; text and calls are copied. Returns: 0, -ENOMEM */
int thread_add_reply(Thread *thread, const char *text, const ToolCall *calls, unsigned n_calls);

/** thread_add_result() - the result of call @call_id (copied). Returns: 0 or -ENOMEM */
int thread_add_result(Thread *thread, const char *call_id, const char *text);

/** thread_last() - the newest message's text, "" where there is none; borrowed */
const char *thread_last(const Thread *thread);

/**
 * thread_tokens() - an estimate of what the thread costs as a prompt
 *
 * No tokenizer: four bytes a token and four tokens a message, which errs on the high side for English
 * and code and is near for others.
 */
size_t thread_tokens(const Thread *thread);

/** thread_trim() - drop the oldest turns until the estimate is at most @tokens_max. Returns: turns dropped now */
unsigned thread_trim(Thread *thread, size_t tokens_max);
