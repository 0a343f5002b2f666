/* replay and chat: transcripts match or end the run; chat completions are read as they come. */
#include <string.h>

#include "agent/model/chat.h"
#include "agent/model/replay.h"
#include "tests/tap.h"

static const char transcript[] =
        "[{\"role\":\"dev\",\"turn\":2,\"expect\":\"exit code "
        "0\",\"reply\":{\"content\":\"done\"}},"
        " {\"role\":\"dev\",\"turn\":1,\"expect\":\"mend\",\"reply\":{\"tool_calls\":[{\"name\":"
        "\"bash\",\"arguments\":{\"command\":\"make\"}},{\"name\":\"read\",\"arguments\":\"{oops\"}"
        "],"
        "\"usage\":{\"prompt_tokens\":7}}}]";

static Thread *thread_of(const char *text) {
        Thread *thread = NULL;

        (void) thread_new(&thread);
        (void) thread_add_text(thread, MESSAGE_USER, text, true);
        return thread;
}

/* Asks once. Returns the reply's text or the error. */
static const char *ask(Provider *provider, const char *role, unsigned turn, const char *last) {
        static char shown[ERROR_TEXT_MAX + 64];
        SCOPED(thread_free) Thread *thread = thread_of(last);
        SCOPED(model_reply_deinit) ModelReply reply = { 0 };
        ModelRequest request = { .role = role, .turn = turn, .thread = thread };
        ModelCall call = MODEL_CALL_EMPTY;
        Error err = ERROR_EMPTY;

        if (provider->kind->start(provider, &request, &call, &err) < 0 ||
            provider->kind->finish(provider, &call, &reply, &err) < 0)
                (void) snprintf(shown, sizeof(shown), "%s: %s", cause_name(call.cause), err.text);
        else
                (void) snprintf(shown, sizeof(shown), "%s|%u|%s", reply.text, reply.n_calls,
                                reply.n_calls > 1 ? reply.calls[1].arguments : "");
        return shown;
}

static void replay_matches(void) {
        SCOPED(provider_free) Provider *provider = NULL;
        Error err = ERROR_EMPTY;
        char remark[128] = "";

        is_number(replay_new_text(transcript, strlen(transcript), &provider, &err), 0,
                  "a transcript in any order");
        is_text(ask(provider, "dev", 1, "please mend it"), "|2|{oops",
                "by role and turn; arguments as recorded, also wrong ones");
        has_text(ask(provider, "dev", 1, "please mend it"), "no entry for turn 1 of dev",
                 "an entry answers once");
        has_text(ask(provider, "dev", 2, "exit code 2"),
                 "replay_mismatch: ", "another text: a mismatch");
        has_text(ask(provider, "dev", 2, "exit code 2"),
                 "expects \"exit code 0\", but the last message is \"exit code 2\"",
                 "that shows both");
        provider->kind->remark(provider, remark, sizeof(remark));
        has_text(remark, "1 entries", "what is left over is said");
        is_text(ask(provider, "dev", 2, "exit code 0 after"), "done|0|", "the right text");
        has_text(ask(provider, "other", 1, "x"), "turn 1 of other", "another role");
}

static const char *bad_transcript(const char *text) {
        static char shown[ERROR_TEXT_MAX + 64];
        SCOPED(provider_free) Provider *provider = NULL;
        Error err = ERROR_EMPTY;

        (void) replay_new_text(text, strlen(text), &provider, &err);
        (void) snprintf(shown, sizeof(shown), "%s", err.text);
        return shown;
}

static void replay_refuses(void) {
        has_text(bad_transcript("{}"), "transcript: the whole", "no list");
        has_text(bad_transcript("[{\"role\":\"a\",\"turn\":1,\"expect\":\"\",\"reply\":{}}]"),
                 "/0/expect", "an empty expectation");
        has_text(bad_transcript("[{\"role\":\"a\",\"turn\":1,\"reply\":{}}]"), "/0",
                 "no expectation");
        has_text(bad_transcript("[{\"role\":\"a\",\"turn\":1,\"expect\":\"x\",\"reply\":{}},"
                                "{\"role\":\"a\",\"turn\":1,\"expect\":\"x\",\"reply\":{}}]"),
                 "a second entry for turn 1 of a that expects the same", "the same turn twice");
        is_text(bad_transcript("[{\"role\":\"a\",\"turn\":1,\"expect\":\"x\",\"reply\":{}},"
                               "{\"role\":\"a\",\"turn\":1,\"expect\":\"y\",\"reply\":{}}]"),
                "", "one turn, with two expectations");
        has_text(bad_transcript("[{]"), "transcript:", "no JSON");
        is_text(bad_transcript("[] // nothing"), "", "comments are allowed");
}

static const char *read_chat(const char *body) {
        static char shown[ERROR_TEXT_MAX + 64];
        SCOPED(model_reply_deinit) ModelReply reply = { 0 };
        Error err = ERROR_EMPTY;
        Cause cause = CAUSE_NONE;

        if (chat_reply(body, strlen(body), 3, &reply, &cause, &err) < 0)
                (void) snprintf(shown, sizeof(shown), "%s: %s", cause_name(cause), err.text);
        else
                (void) snprintf(shown, sizeof(shown), "%s|%u|%s|%s|%llu", reply.text, reply.n_calls,
                                reply.n_calls ? reply.calls[0].id : "",
                                reply.n_calls ? reply.calls[0].arguments : "",
                                (unsigned long long) reply.tokens_out);
        return shown;
}

static void chat_reads(void) {
        is_text(read_chat("{\"choices\":[{\"message\":{\"content\":\"hi\"},\"finish_reason\":"
                          "\"stop\"}],"
                          "\"usage\":{\"completion_tokens\":9}}"),
                "hi|0|||9", "a text");
        is_text(read_chat("{\"choices\":[{\"message\":{\"content\":null,\"tool_calls\":[{\"id\":"
                          "\"x\","
                          "\"function\":{\"name\":\"a\",\"arguments\":\"{}\"}}]}}]}"),
                "|1|x|{}|0", "a call");
        is_text(read_chat(
                        "{\"choices\":[{\"message\":{\"tool_calls\":[{\"function\":{\"name\":\"a\","
                        "\"arguments\":{\"b\":1}}}]}}]}"),
                "|1|call-3-1|{\"b\":1}|0", "no id, arguments as an object");
        has_text(read_chat("{\"choices\":[{\"message\":{\"content\":\"x\"},\"finish_reason\":"
                           "\"length\"}]}"),
                 "model_length", "cut");
        has_text(read_chat("{\"choices\":[{\"message\":{\"content\":\"\"},\"finish_reason\":"
                           "\"content_filter\"}]}"),
                 "model_filter", "filtered");
        has_text(read_chat("{\"choices\":[]}"), "model_reply", "no choice");
        has_text(read_chat("[]"), "model_reply", "no object");
        has_text(read_chat(""), "model_reply", "nothing");
        has_text(read_chat("{\"error\":{\"message\":\"loading\"}}"), "loading",
                 "an error in place of a reply");
}

static void chat_writes(void) {
        SCOPED(thread_free) Thread *thread = thread_of("do it");
        char id[] = "c1", name[] = "read", arguments[] = "{oops";
        ToolCall call = { id, name, arguments };
        ModelRequest request = { .role = "dev", .turn = 1, .thread = thread };
        autofree char *body = NULL;

        (void) thread_add_reply(thread, "", &call, 1);
        (void) thread_add_result(thread, "c1", "bad arguments");
        thread->dropped = 2;
        body = chat_request("m", &request);
        has_text(body, "\"arguments\":\"{}\"", "arguments that are no JSON do not go back");
        has_text(body, "\"tool_call_id\":\"c1\"", "a result names its call");
        has_text(body, "[2 earlier turns of this work were left out", "dropped turns are said");
        ok(!strstr(body, "\"tools\""), "no tools, no list");
}

int main(void) {
        replay_matches();
        replay_refuses();
        chat_reads();
        chat_writes();
        return tap_end();
}
