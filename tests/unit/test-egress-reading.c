/* egress: request heads byte by byte, and tokens at the end of what passes. */
#include <errno.h>

#include "supervisor/egress/reply.h"
#include "supervisor/egress/request.h"
#include "supervisor/egress/usage.h"
#include "tests/tap.h"

static const char good[] = "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\ncontent-TYPE: "
                           "application/json; charset=utf-8\r\nContent-Length: \t12 \r\n"
                           "Connection: close\r\n\r\n{\"model\":1}x";

static void byte_by_byte(void) {
        RequestHead head = { 0 };
        RequestFault fault = { 0 };
        size_t whole = strstr(good, "\r\n\r\n") + 4 - good;
        unsigned waiting = 0;

        for (size_t n = 0; n < whole; n++)
                waiting += request_parse(good, n, &head, &fault) == 0;
        is_number(waiting, whole, "no part of a head is taken for the whole");
        is_number(request_parse(good, whole, &head, &fault), 1, "the whole is");
        is_number(head.head, whole, "its length");
        is_number(head.body, 12, "its body's length");
        is_number(head.target, REQUEST_CHAT, "its target");
        ok(head.close, "and that the connection is to be closed");
        is_text(head.path, "/chat/completions", "where it goes");
}

static int status_of(const char *bytes, size_t n) {
        RequestHead head;
        RequestFault fault = { 0 };

        return request_parse(bytes, n, &head, &fault) < 0 ? fault.status : 0;
}

static void early_refusals(void) {
        static const char nul[] = "GET /v1/models HTTP/1.1\r\nHost: a\0b\r\n";
        static const char cr[] = "GET /v1/models HTTP/1.1\r\nHost: a\rb\r\n";
        static char large[REQUEST_HEAD_MAX + 10];

        is_number(status_of("DELETE /x HTTP/1.1\r\n", 20), 404,
                  "a wrong first line is refused at once");
        is_number(status_of(nul, sizeof(nul) - 1), 400, "a NUL");
        is_number(status_of(cr, sizeof(cr) - 1), 400, "a CR within a line");
        is_number(status_of("\r\n", 2), 400, "an empty first line");
        memset(large, 'a', sizeof(large));
        is_number(status_of(large, REQUEST_HEAD_MAX - 1), 0,
                  "a line just below the limit may go on");
        is_number(status_of(large, sizeof(large)), 431, "above it may not");
}

static const char messages[] = "POST /v1/messages?beta=true HTTP/1.1\r\nHost: x\r\n"
                               "content-type: application/json\r\nContent-Length: 2\r\n"
                               "Anthropic-Version: 2023-06-01\r\nanthropic-beta: a-1,b-2\r\n\r\n";

static void dialects(void) {
        static char twice[4096], large[4096];
        RequestHead head = { 0 };
        RequestFault fault = { 0 };

        is_number(request_parse(messages, sizeof(messages) - 1, &head, &fault), 1, "Messages");
        is_number(head.target, REQUEST_MESSAGES, "its target");
        is_text(head.path, "/messages?beta=true", "its path, with the one query that is known");
        is_text(head.version, "2023-06-01", "its version goes on");
        is_text(head.beta, "a-1,b-2", "and what it asks of the new");
        ok(request_is_messages(REQUEST_COUNT) && !request_generates(REQUEST_COUNT),
           "counting tokens costs none");
        (void) snprintf(twice, sizeof(twice), "%.*santhropic-beta: c\r\n\r\n",
                        (int) sizeof(messages) - 3, messages);
        is_number(status_of(twice, strlen(twice)), 400, "a header that goes on stands there once");
        (void) snprintf(large, sizeof(large),
                        "GET /v1/models HTTP/1.1\r\nHost: x\r\nanthropic-beta: %01100d\r\n", 1);
        is_number(status_of(large, strlen(large)), 400, "and is bounded");
}

static void take(Usage *usage, const char *text) {
        usage_take(usage, text, strlen(text));
}

static void tokens(void) {
        Usage usage = USAGE_EMPTY;
        static char filler[100000];

        memset(filler, 'x', sizeof(filler));
        take(&usage, "{\"message\":{\"usage\":{\"input_tokens\":3,\"cache_read_input_tokens\":40,"
                     "\"output_tokens\":1}}}");
        for (unsigned i = 0; i < 20; i++)
                usage_take(&usage, filler, sizeof(filler));
        ok(usage.tail.len <= USAGE_TAIL_MAX + USAGE_OBJECT_MAX, "what is kept is bounded");
        take(&usage, "\\\"usage\\\":{\\\"prompt_tokens\\\":9000}");
        take(&usage, "\"usage\":null,\"usage\": {\"output_tokens\":7,\"d\":{\"x\":1}}");
        usage_end(&usage);
        is_number(usage.in, 43, "the prompt's tokens stood at the beginning, 2 MB before");
        is_number(usage.out, 7, "the answer's at the end");
        take(&usage, "\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}");
        usage_end(&usage);
        ok(usage.in == 43 && usage.out == 7, "a smaller count takes nothing back");
        take(&usage, "\"usage\":{\"prompt_tokens\":300,");
        usage_end(&usage);
        is_number(usage.in, 43, "a usage that is cut off counts nothing");
        usage_deinit(&usage);
}

/* What was cached costs less: of what is told twice, or by somebody else, the dearer counts. */
static void caches(void) {
        Usage usage = USAGE_EMPTY;

        take(&usage, "\"usage\":{\"prompt_tokens\":1000,\"prompt_tokens_details\":"
                     "{\"cached_tokens\":900}}");
        usage_end(&usage);
        ok(usage.in == 1000 && usage.fresh == 100, "cached tokens within the prompt");
        take(&usage, "\"usage\":{\"cache_read_input_tokens\":900,\"prompt_tokens_details\":"
                     "{\"cached_tokens\":9000}}");
        usage_end(&usage);
        ok(usage.in == 1000 && usage.fresh == 100, "a later word takes nothing back");
        take(&usage, "\"usage\":{\"input_tokens\":300,\"cache_creation_input_tokens\":40,"
                     "\"cache_read_input_tokens\":900}");
        usage_end(&usage);
        is_number(usage.in, 1240, "or beside it");
        is_number(usage.fresh, 340, "what was not read from it");
        is_number(usage.written, 40, "what was written to it");
        usage_deinit(&usage);
}

/* Every place that a chunk can be cut at. */
static void cut_anywhere(void) {
        static const char text[] =
                "data: {\"usage\" : {\"prompt_tokens\":5,\"completion_tokens\":6}}\n";
        unsigned wrong = 0;

        for (size_t cut = 0; cut <= strlen(text); cut++) {
                Usage usage = USAGE_EMPTY;

                usage_take(&usage, text, cut);
                take(&usage, text + cut);
                usage_end(&usage);
                wrong += usage.in != 5 || usage.out != 6 || usage.events != 1;
                usage_deinit(&usage);
        }
        is_number(wrong, 0, "a count is found wherever the text was cut");
}

static void guesses(void) {
        Usage stream = USAGE_EMPTY, plain = USAGE_EMPTY;
        static char filler[4000];

        memset(filler, 'x', sizeof(filler));
        for (unsigned i = 0; i < 100; i++)
                take(&stream, "event: x\r\ndata: {\"delta\":\"data: y\"}\r\n\r\n");
        usage_end(&stream);
        is_number(stream.events, 100, "events, by the beginning of their line");
        ok(!stream.found && usage_guess(&stream) == 100, "an event of a stream is a token");
        usage_take(&stream, filler, sizeof(filler));
        usage_take(&plain, filler, sizeof(filler));
        is_number(usage_guess(&plain), 1000, "else four bytes are");
        usage_deinit(&stream);
        usage_deinit(&plain);
}

/* An answer of Responses repeats the request's tools: a "usage" among them comes from the client. */
static void ends(void) {
        static const char text[] =
                "event: response.created\r\ndata: {\"usage\":{\"input_tokens\":0}}\r\n\r\n"
                "data: event: response.completed\n\n"
                "event: response.completed.not\ndata: {}\n\n";
        static const char end[] =
                "event: response.completed\ndata: {\"usage\":{\"input_tokens\":5}}\n";
        Usage usage = USAGE_EMPTY;
        unsigned wrong = 0;

        take(&usage, text);
        for (size_t i = 0; i < strlen(end); i++) {
                wrong += usage.ended;
                usage_take(&usage, end + i, 1);
        }
        usage_end(&usage);
        ok(usage.ended && wrong == 0,
           "a stream has ended when its last event is whole, no earlier");
        is_number(usage.in, 5, "and then its count is there");
        usage_deinit(&usage);
}

static void replies(void) {
        Buf out = BUF_EMPTY(4096);
        ReplyHead head = { .status = 200, .type = "text/x\r\nX-Evil: 1", .length = -1 };

        (void) reply_head(&out, &head);
        ok(!strstr(out.data, "Evil"), "a value with a line break is left out");
        has_text(out.data, "Transfer-Encoding: chunked\r\n", "no length: chunks");
        buf_deinit(&out);
        (void) reply_body(&out, true, "hello", 5);
        (void) reply_last(&out);
        is_text(out.data, "5\r\nhello\r\n0\r\n\r\n", "a chunk and the end");
        buf_deinit(&out);
        (void) reply_fault(&out, 404, "not_found", "a \"quoted\" word");
        has_text(out.data, "HTTP/1.1 404 \r\n", "a refusal of ours");
        has_text(out.data, "\\\"quoted\\\"", "is JSON");
        buf_deinit(&out);
}

int main(void) {
        byte_by_byte();
        early_refusals();
        dialects();
        tokens();
        caches();
        cut_anywhere();
        guesses();
        ends();
        replies();
        return tap_end();
}
