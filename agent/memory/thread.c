/*
 * thread: an array of messages that owns every text.
 */
#include "agent/memory/thread.h"

#include <assert.h>
#include <string.h>

static void message_deinit(Message *message) {
        free(message->text);
        free(message->call_id);
        tool_calls_free(message->calls, message->n_calls);
        *message = (Message){ 0 };
}

int thread_new(Thread **ret_thread) {
        Thread *thread = calloc(1, sizeof(*thread));

        if (!thread)
                return -ENOMEM;
        *ret_thread = thread;
        return 0;
}

Thread *thread_free(Thread *thread) {
        for (unsigned i = 0; thread && i < thread->n; i++)
                message_deinit(&thread->messages[i]);
        if (thread)
                free(thread->messages);
        free(thread);
        return NULL;
}

ToolCall *tool_calls_free(ToolCall *calls, unsigned n) {
        for (unsigned i = 0; calls && i < n; i++) {
                free(calls[i].id);
                free(calls[i].name);
                free(calls[i].arguments);
        }
        free(calls);
        return NULL;
}

/* Takes the parts of @message, also where it fails. */
static int add_consume(Thread *thread, Message message) {
        if (!message.text) {
                message_deinit(&message);
                return -ENOMEM;
        }
        if (thread->n == thread->room) {
                unsigned room = thread->room ? 2 * thread->room : 16;
                Message *grown = reallocarray(thread->messages, room, sizeof(*grown));

                if (!grown) {
                        message_deinit(&message);
                        return -ENOMEM;
                }
                thread->messages = grown;
                thread->room = room;
        }
        message.turn = thread->turns;
        thread->messages[thread->n++] = message;
        return 0;
}

int thread_add_text(Thread *thread, MessageKind kind, const char *text, bool pinned) {
        return add_consume(thread,
                           (Message){ .kind = kind, .pinned = pinned, .text = strdup(text) });
}

static ToolCall *calls_copy(const ToolCall *calls, unsigned n) {
        ToolCall *copy = calloc(n, sizeof(*copy));

        for (unsigned i = 0; copy && i < n; i++) {
                copy[i].id = strdup(calls[i].id);
                copy[i].name = strdup(calls[i].name);
                copy[i].arguments = strdup(calls[i].arguments);
                if (!copy[i].id || !copy[i].name || !copy[i].arguments)
                        return tool_calls_free(copy, n);
        }
        return copy;
}

int thread_add_reply(Thread *thread, const char *text, const ToolCall *calls, unsigned n_calls) {
        Message message = { .kind = MESSAGE_ASSISTANT, .text = strdup(text ? text : "") };

        if (n_calls > 0) {
                message.calls = calls_copy(calls, n_calls);
                message.n_calls = message.calls ? n_calls : 0;
                if (!message.calls) {
                        message_deinit(&message);
                        return -ENOMEM;
                }
        }
        thread->turns++;
        return add_consume(thread, message);
}

int thread_add_result(Thread *thread, const char *call_id, const char *text) {
        Message message = { .kind = MESSAGE_RESULT,
                            .text = strdup(text),
                            .call_id = strdup(call_id) };

        if (!message.call_id) {
                message_deinit(&message);
                return -ENOMEM;
        }
        return add_consume(thread, message);
}

const char *thread_last(const Thread *thread) {
        return thread->n > 0 ? thread->messages[thread->n - 1].text : "";
}

static size_t message_tokens(const Message *message) {
        size_t bytes = strlen(message->text);

        for (unsigned i = 0; i < message->n_calls; i++)
                bytes += strlen(message->calls[i].name) + strlen(message->calls[i].arguments) + 16;
        return 4 + bytes / 4;
}

size_t thread_tokens(const Thread *thread) {
        size_t tokens = 0;

        for (unsigned i = 0; i < thread->n; i++)
                tokens += message_tokens(&thread->messages[i]);
        return tokens;
}

/* The turn of the oldest message that may go; the newest turn where none may. */
static unsigned oldest_turn(const Thread *thread) {
        for (unsigned i = 0; i < thread->n; i++)
                if (!thread->messages[i].pinned)
                        return thread->messages[i].turn;
        return thread->turns;
}

static void drop_turn(Thread *thread, unsigned turn) {
        unsigned kept = 0;

        for (unsigned i = 0; i < thread->n; i++) {
                Message *message = &thread->messages[i];

                if (!message->pinned && message->turn == turn)
                        message_deinit(message);
                else
                        thread->messages[kept++] = *message;
        }
        thread->n = kept;
        thread->dropped++;
}

unsigned thread_trim(Thread *thread, size_t tokens_max) {
        unsigned before = thread->dropped;

        while (thread_tokens(thread) > tokens_max) {
                unsigned turn = oldest_turn(thread);

                if (turn + THREAD_KEEP_TURNS > thread->turns)
                        break;
                drop_turn(thread, turn);
        }
        return thread->dropped - before;
}
