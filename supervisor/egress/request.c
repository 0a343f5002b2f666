/*
 * request: request line, then headers by a table; lines end in CR LF and are read in place.
 */
#include "supervisor/egress/request.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/owned.h"

typedef struct Line {
        const char *text;
        size_t n;
} Line;

typedef struct Reader {
        RequestHead head;
        RequestFault *fault;
        unsigned n_headers;
        unsigned hosts;
        bool has_length;
        bool is_json;
} Reader;

static const struct {
        const char *method;
        const char *path;
        const char *below; /* of base_url */
        RequestTarget target;
} targets[] = {
        { "POST", "/v1/chat/completions", "/chat/completions", REQUEST_CHAT },
        { "POST", "/v1/responses", "/responses", REQUEST_RESPONSES },
        { "POST", "/v1/messages", "/messages", REQUEST_MESSAGES },
        { "POST", "/v1/messages?beta=true", "/messages?beta=true", REQUEST_MESSAGES },
        { "POST", "/v1/messages/count_tokens", "/messages/count_tokens", REQUEST_COUNT },
        { "POST", "/v1/messages/count_tokens?beta=true", "/messages/count_tokens?beta=true",
          REQUEST_COUNT },
        { "GET", "/v1/models", "/models", REQUEST_MODELS },
};

bool request_has_body(RequestTarget target) {
        return target != REQUEST_MODELS;
}

bool request_generates(RequestTarget target) {
        return target == REQUEST_CHAT || target == REQUEST_RESPONSES || target == REQUEST_MESSAGES;
}

bool request_is_messages(RequestTarget target) {
        return target == REQUEST_MESSAGES || target == REQUEST_COUNT;
}

void request_fault(RequestFault *fault, int status, const char *code, const char *format, ...) {
        va_list args;

        fault->status = status;
        fault->code = code;
        va_start(args, format);
        (void) vsnprintf(fault->text, sizeof(fault->text), format, args);
        va_end(args);
}

static int refuse(Reader *reader, int status, const char *code, const char *text) {
        request_fault(reader->fault, status, code, "%s", text);
        return -EBADMSG;
}

static bool is(Line line, const char *text) {
        return line.n == strlen(text) && memcmp(line.text, text, line.n) == 0;
}

static bool is_nocase(Line line, const char *text) {
        return line.n == strlen(text) && strncasecmp(line.text, text, line.n) == 0;
}

/* The part up to @end, which is taken off @line; false where @end does not occur. */
static bool take(Line *line, char end, Line *ret) {
        const char *at = memchr(line->text, end, line->n);

        if (!at)
                return false;
        *ret = (Line){ line->text, (size_t) (at - line->text) };
        line->n -= ret->n + 1;
        line->text = at + 1;
        return true;
}

static int read_request_line(Reader *reader, Line line) {
        Line method, path;
        bool path_known = false;

        if (!take(&line, ' ', &method) || !take(&line, ' ', &path))
                return refuse(reader, 400, "bad_request", "the request line has no three parts");
        if (!is(line, "HTTP/1.1"))
                return refuse(reader, 505, "http_version", "only HTTP/1.1 is spoken here");
        for (unsigned i = 0; i < ELEMENTS(targets); i++) {
                if (!is(path, targets[i].path))
                        continue;
                path_known = true;
                reader->head.target = targets[i].target;
                reader->head.path = targets[i].below;
                if (is(method, targets[i].method))
                        return 0;
        }
        if (path_known)
                return refuse(reader, 405, "method_not_allowed", "this path takes another method");
        return refuse(reader, 404, "not_found",
                      "only POST /v1/chat/completions, /v1/responses, /v1/messages, "
                      "/v1/messages/count_tokens and GET /v1/models lead anywhere");
}

static int on_length(Reader *reader, Line value) {
        size_t length = 0;

        if (reader->has_length)
                return refuse(reader, 400, "bad_request", "two Content-Length headers");
        if (value.n == 0 || value.n > 10)
                return refuse(reader, 400, "bad_request", "Content-Length is no number");
        for (size_t i = 0; i < value.n; i++) {
                if (value.text[i] < '0' || value.text[i] > '9')
                        return refuse(reader, 400, "bad_request", "Content-Length is no number");
                length = 10 * length + (size_t) (value.text[i] - '0');
        }
        if (length > REQUEST_BODY_MAX)
                return refuse(reader, 413, "too_large", "the body is above 8 MiB");
        reader->has_length = true;
        reader->head.body = length;
        return 0;
}

static int on_coding(Reader *reader, Line value) {
        (void) value;
        return refuse(reader, 411, "length_required",
                      "Transfer-Encoding is not taken: send a Content-Length");
}

static int on_expect(Reader *reader, Line value) {
        (void) value;
        return refuse(reader, 417, "expectation_failed", "Expect is not taken");
}

static int on_connection(Reader *reader, Line value) {
        if (is_nocase(value, "close"))
                reader->head.close = true;
        else if (!is_nocase(value, "keep-alive"))
                return refuse(reader, 400, "bad_request", "Connection is close or keep-alive here");
        return 0;
}

static int on_host(Reader *reader, Line value) {
        (void) value;
        reader->hosts++;
        return 0;
}

static int on_type(Reader *reader, Line value) {
        static const char json[] = "application/json";
        size_t n = sizeof(json) - 1;

        if (value.n >= n && strncasecmp(value.text, json, n) == 0 &&
            (value.n == n || value.text[n] == ';' || value.text[n] == ' '))
                reader->is_json = true;
        return 0;
}

static int on_encoding(Reader *reader, Line value) {
        if (is_nocase(value, "identity"))
                return 0;
        return refuse(reader, 415, "encoding", "a body comes as it is, without Content-Encoding");
}

static int keep_value(Reader *reader, Line value, char *kept) {
        if (*kept || value.n == 0 || value.n >= REQUEST_VALUE_MAX)
                return refuse(reader, 400, "bad_request",
                              "an anthropic- header stands twice, is empty or too long");
        memcpy(kept, value.text, value.n);
        kept[value.n] = '\0';
        return 0;
}

static int on_version(Reader *reader, Line value) {
        return keep_value(reader, value, reader->head.version);
}

static int on_beta(Reader *reader, Line value) {
        return keep_value(reader, value, reader->head.beta);
}

/* All that is looked at; every other header is dropped and never forwarded. */
static const struct {
        const char *name;
        int (*read)(Reader *reader, Line value);
} headers[] = {
        { "content-length", on_length },
        { "transfer-encoding", on_coding },
        { "expect", on_expect },
        { "connection", on_connection },
        { "host", on_host },
        { "content-type", on_type },
        { "content-encoding", on_encoding },
        { "anthropic-version", on_version },
        { "anthropic-beta", on_beta },
};

static bool is_token(Line name) {
        for (size_t i = 0; i < name.n; i++) {
                unsigned char c = (unsigned char) name.text[i];

                if (c <= ' ' || c >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", c))
                        return false;
        }
        return name.n > 0;
}

static bool is_value(Line value) {
        for (size_t i = 0; i < value.n; i++) {
                unsigned char c = (unsigned char) value.text[i];

                if ((c < ' ' && c != '\t') || c == 0x7f)
                        return false;
        }
        return true;
}

static int read_header(Reader *reader, Line line) {
        Line name;

        if (++reader->n_headers > REQUEST_HEADERS_MAX)
                return refuse(reader, 431, "too_many_headers", "more than 64 headers");
        if (!take(&line, ':', &name) || !is_token(name) || !is_value(line))
                return refuse(reader, 400, "bad_request", "a line that is no header");
        while (line.n > 0 && (*line.text == ' ' || *line.text == '\t')) {
                line.text++;
                line.n--;
        }
        while (line.n > 0 && (line.text[line.n - 1] == ' ' || line.text[line.n - 1] == '\t'))
                line.n--;
        for (unsigned i = 0; i < ELEMENTS(headers); i++)
                if (is_nocase(name, headers[i].name))
                        return headers[i].read(reader, line);
        return 0;
}

static int check_whole(Reader *reader) {
        if (reader->hosts != 1)
                return refuse(reader, 400, "bad_request", "exactly one Host header is needed");
        if (!request_has_body(reader->head.target))
                return reader->head.body == 0
                               ? 1
                               : refuse(reader, 400, "bad_request", "a GET has no body here");
        if (!reader->has_length)
                return refuse(reader, 411, "length_required", "a Content-Length is needed");
        if (!reader->is_json)
                return refuse(reader, 415, "content_type", "the body's type is application/json");
        return 1;
}

/* The next line of the head without its CR LF. Returns 1, 0 where it is not whole, -EBADMSG. */
static int next_line(Reader *reader, const char *bytes, size_t n, size_t *at, Line *ret) {
        const char *end = memchr(bytes + *at, '\n', n - *at);

        if (!end)
                return 0;
        if (end == bytes + *at || end[-1] != '\r')
                return refuse(reader, 400, "bad_request", "a line that does not end in CR LF");
        *ret = (Line){ bytes + *at, (size_t) (end - 1 - (bytes + *at)) };
        if (memchr(ret->text, '\r', ret->n) || memchr(ret->text, '\0', ret->n))
                return refuse(reader, 400, "bad_request", "a line with a control byte");
        *at = (size_t) (end + 1 - bytes);
        return 1;
}

/* Line by line as long as they are whole. */
static int read_lines(Reader *reader, const char *bytes, size_t n) {
        size_t at = 0;
        bool first = true;

        for (;;) {
                Line line;
                int r = next_line(reader, bytes, n, &at, &line);

                if (r <= 0)
                        return r;
                if (line.n == 0 && !first) {
                        reader->head.head = at;
                        return check_whole(reader);
                }
                r = first ? read_request_line(reader, line) : read_header(reader, line);
                if (r < 0)
                        return r;
                first = false;
        }
}

int request_parse(const char *bytes, size_t n, RequestHead *ret_head, RequestFault *ret_fault) {
        RequestFault fault = { 0 };
        Reader reader = { .fault = &fault };
        size_t visible = n < REQUEST_HEAD_MAX ? n : REQUEST_HEAD_MAX;
        int r;

        r = read_lines(&reader, bytes, visible);
        if (r == 0 && visible == REQUEST_HEAD_MAX)
                r = refuse(&reader, 431, "too_large", "the request's head is above 16 KiB");
        if (r < 0)
                *ret_fault = fault;
        if (r == 1)
                *ret_head = reader.head;
        return r;
}
