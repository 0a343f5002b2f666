#pragma once
/*
 * request: a strict, bounded reader of the head of an HTTP/1.1 request. The peer is an agent, so nothing
 * is forgiven: the requests of one table are all that is taken, a body has a Content-Length and
 * nothing else, and what is doubtful (bare LF, folded lines, two lengths, Transfer-Encoding) is refused
 * with a status and a word instead of being guessed.
 */
#include <stdbool.h>
#include <stddef.h>

#define REQUEST_HEAD_MAX    (16 * 1024)
#define REQUEST_BODY_MAX    (8 * 1024 * 1024)
#define REQUEST_HEADERS_MAX 64
#define REQUEST_VALUE_MAX   1024 /* of a header that goes on to the provider */

typedef enum RequestTarget {
        REQUEST_CHAT = 1,  /* OpenAI Chat Completions */
        REQUEST_RESPONSES, /* OpenAI Responses */
        REQUEST_MESSAGES,  /* Anthropic Messages */
        REQUEST_COUNT,     /* its count of tokens: nothing is generated */
        REQUEST_MODELS
} RequestTarget;

typedef struct RequestHead {
        RequestTarget target;
        size_t head;      /* bytes up to and with the empty line */
        size_t body;      /* bytes that follow */
        bool close;       /* the client wants the connection closed after the answer */
        const char *path; /* below the route's base_url; static */
        char version
                [REQUEST_VALUE_MAX]; /* Messages: anthropic-version and -beta; "" where not given */
        char beta[REQUEST_VALUE_MAX];
} RequestHead;

typedef struct RequestFault {
        int status;       /* 4xx or 5xx */
        const char *code; /* a word: "bad_request", "not_found", … */
        char text[200];   /* a sentence */
} RequestFault;

/** request_fault() - fill it in */
void request_fault(RequestFault *fault, int status, const char *code, const char *format, ...)
        __attribute__((format(printf, 4, 5)));

/**
 * request_parse() - the head in @bytes
 *
 * Returns: 1 and @ret_head; 0 where more bytes are needed; -EBADMSG and @ret_fault (close afterwards).
 */
int request_parse(const char *bytes, size_t n, RequestHead *ret_head, RequestFault *ret_fault);

/** request_has_body() - is it a POST */
bool request_has_body(RequestTarget target);
/** request_generates() - does a model answer it, so that it costs tokens */
bool request_generates(RequestTarget target);
/** request_is_messages() - is it of Anthropic's dialect: its own headers, and the key in another */
bool request_is_messages(RequestTarget target);
