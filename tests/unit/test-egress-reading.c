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
        is_text(request_path(head.target), "/chat/completions", "where it goes");
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

static void keep(Buf *tail, const char *text) {
        usage_keep(tail, text, strlen(text));
}

static void tokens(void) {
        Buf tail = BUF_EMPTY(2 * USAGE_TAIL_MAX);
        static char filler[100000];
        uint64_t in = 0, out = 0;

        memset(filler, 'x', sizeof(filler));
        for (unsigned i = 0; i < 20; i++)
                usage_keep(&tail, filler, sizeof(filler));
        ok(tail.len <= 2 * USAGE_TAIL_MAX, "what is kept is bounded");
        usage_find(&tail, &in, &out);
        ok(in == 0 && out == 0, "no usage, no tokens");
        keep(&tail, "\\\"usage\\\":{\\\"prompt_tokens\\\":9}");
        usage_find(&tail, &in, &out);
        ok(in == 0, "usage within a string of the reply is none");
        keep(&tail, "\"usage\": {\"prompt_tokens\":3,\"completion_tokens\":4,\"d\":{\"x\":1}}");
        usage_find(&tail, &in, &out);
        ok(in == 3 && out == 4, "usage of a reply");
        keep(&tail, "data: {\"usage\":null}\n\ndata: {\"usage\":{\"input_tokens\":5,"
                    "\"output_tokens\":6}}\n\n");
        usage_find(&tail, &in, &out);
        ok(in == 5 && out == 6, "the last usage of a stream, by its other names");
        keep(&tail, "\"usage\":{\"prompt_tokens\":3,");
        usage_find(&tail, &in, &out);
        ok(in == 0 && out == 0, "a usage that is cut off counts nothing");
        buf_deinit(&tail);
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
        tokens();
        replies();
        return tap_end();
}
