#pragma once
/*
 * body: what a request asks a provider for, and the same request as the route allows it. The peer is an agent,
 * perhaps a hostile one, so the body is read before the key is spent on it:
 *
 *   - the model is the route's, whatever name stands there;
 *   - a streamed chat completion has to say at its end what it cost;
 *   - nothing in it may make the provider reach for a network in the agent's place: its own search, fetch and MCP
 *     tools, pictures and files by address. An address in a request is a way out of a jail without a network.
 *
 * Read in place, without a tree: 8 MiB of brackets would be hundreds of MiB of one.
 */
#include "base/buf.h"
#include "supervisor/egress/request.h"

#define BODY_DEPTH_MAX 128
#define BODY_MORE_MAX  512 /* bytes that a body may grow by */

typedef struct BodySpan {
        size_t at, n; /* n == 0: it is not there */
} BodySpan;

typedef struct BodyFacts {
        BodySpan model;   /* value of the member, its quotes included */
        BodySpan options; /* value of stream_options */
        size_t open;      /* behind the first bracket */
        bool empty;       /* no member at all */
        bool stream;
} BodyFacts;

/**
 * body_read() - the body of a request for @target
 *
 * Returns: 0 and @ret_facts; -EBADMSG and @ret_fault.
 */
int body_read(const char *text, size_t n, RequestTarget target, BodyFacts *ret_facts,
              RequestFault *ret_fault);

/**
 * body_pin() - append @text to @out with the route's model, and for a streamed chat completion with a usage asked for
 * @facts: of body_read() over the same bytes
 * @model: name; "": as it came
 *
 * Returns: as buf_append().
 */
int body_pin(const char *text, size_t n, RequestTarget target, const BodyFacts *facts,
             const char *model, Buf *out);
