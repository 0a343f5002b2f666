#pragma once
/*
 * body: what a request asks a provider for, and the same request as the route allows it. The peer is an agent,
 * perhaps a hostile one, so the body is read before the key is spent on it:
 *
 *   - only members that are known go out (members.h);
 *   - the model is the route's, whatever name stands there;
 *   - a streamed chat completion has to say at its end what it cost; of Responses nothing is kept;
 *   - nothing in it may make the provider reach for a network in the agent's place: its own search, fetch and MCP
 *     tools, pictures and files by address, nor for what it keeps: files, earlier answers. An address in a request is a
 *     way out of a jail without a network, and what is kept under one key may be another task's.
 */
#include <stdint.h>

#include "base/buf.h"
#include "supervisor/egress/body-walk.h"

#define BODY_MORE_MAX 512 /* bytes that a body may grow by */
#define BODY_KEPT_MAX 64  /* members that go out */

typedef struct BodyMember {
        const char *name; /* NULL: as it came */
        BodySpan raw;     /* name as it came, without its quotes */
        BodySpan value;
        bool bounds; /* a number of tokens, or what stands for one */
} BodyMember;

typedef struct BodyFacts {
        BodyMember kept[BODY_KEPT_MAX];
        unsigned n_kept;
        bool stream;
        uint64_t
                most; /* tokens of the answer, as it asks; 0: it says nothing. To body_pin(), what it may ask for; 0: as it came */
        size_t content; /* bytes of pictures and files, which cost tokens otherwise than text */
} BodyFacts;

/**
 * body_read() - the body of a request
 *
 * Returns: 0 and @ret_facts; -EBADMSG and @ret_fault.
 */
int body_read(const BodyText *body, BodyFacts *ret_facts, RequestFault *ret_fault);

/**
 * body_pin() - append what of it goes out to @out, with the route's model
 * @facts: of body_read() over the same bytes
 * @model: name; "": as it came
 *
 * Returns: as buf_append().
 */
int body_pin(const BodyText *body, const BodyFacts *facts, const char *model, Buf *out);
