#pragma once
/*
 * request: a strict, bounded reader of the head of an HTTP/1.1 request. The peer is an agent, so nothing
 * is forgiven: two requests of the same kind are all that is taken, a body has a Content-Length and
 * nothing else, and what is doubtful (bare LF, folded lines, two lengths, Transfer-Encoding) is refused
 * with a status and a word instead of being guessed.
 */
#include <stdbool.h>
#include <stddef.h>

#define REQUEST_HEAD_MAX    (16 * 1024)
#define REQUEST_BODY_MAX    (8 * 1024 * 1024)
#define REQUEST_HEADERS_MAX 64

typedef enum RequestTarget { REQUEST_CHAT = 1, REQUEST_MODELS } RequestTarget;

typedef struct RequestHead {
        RequestTarget target;
        size_t head; /* bytes up to and with the empty line */
        size_t body; /* bytes that follow */
        bool close;  /* the client wants the connection closed after the answer */
} RequestHead;

typedef struct RequestFault {
        int status;       /* 4xx or 5xx */
        const char *code; /* a word: "bad_request", "not_found", … */
        const char *text; /* a sentence */
} RequestFault;

/**
 * request_parse() - the head in @bytes
 *
 * Returns: 1 and @ret_head; 0 where more bytes are needed; -EBADMSG and @ret_fault (close afterwards).
 */
int request_parse(const char *bytes, size_t n, RequestHead *ret_head, RequestFault *ret_fault);

/** request_path() - where a target goes below the route's base_url: "/chat/completions" or "/models" */
const char *request_path(RequestTarget target);
