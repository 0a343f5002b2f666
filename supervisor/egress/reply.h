#pragma once
/*
 * reply: HTTP/1.1 answers as bytes.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

typedef struct ReplyHead {
        long status;
        const char *type;        /* NULL: none */
        const char *retry_after; /* NULL: none */
        int64_t length;          /* negative: chunked */
        bool final;              /* x-should-retry: false: whatever could be tried was tried here */
        bool close;
} ReplyHead;

/** reply_head() - status line and headers; values with control bytes are left out. Returns: as buf_append() */
int reply_head(Buf *out, const ReplyHead *head);

/** reply_body() - bytes of the body, as a chunk where @chunked. Returns: as buf_append() */
int reply_body(Buf *out, bool chunked, const char *bytes, size_t n);

/** reply_last() - the end of a chunked body. Returns: as buf_append() */
int reply_last(Buf *out);

/** reply_fault() - a whole answer of ours: {type: "error", "error": {message, type, code}}; final, but 503. Returns: as buf_append() */
int reply_fault(Buf *out, int status, const char *code, const char *text);
