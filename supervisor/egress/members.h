#pragma once
/*
 * members: the outermost members of a request that are known, for each form of it, and the tools that run at the client.
 * What is not known does not go out: a provider, or a gateway before it, may know it, and it may be a way out of the jail.
 * What an administrator's policy names goes out as it came (warder-policy(5), egress).
 */
#include <stdbool.h>
#include <stddef.h>

#include "supervisor/egress/request.h"

#define MEMBER_NAME_MAX 48 /* of a name, decoded, and its 0 */

typedef enum MemberRule {
        MEMBER_UNKNOWN = 0, /* is left out: what it asked for is not asked for */
        MEMBER_PASSES,
        MEMBER_ONE,    /* passes as 1 */
        MEMBER_REACHES /* the request is refused: it would not mean the same without it */
} MemberRule;

typedef struct Member {
        const char *name; /* as it goes out */
        MemberRule rule;
        const char *why; /* REACHES, ONE: a sentence that names it */
        bool bounds;     /* the most tokens of an answer */
} Member;

/** member_find() - by name, in any case, as some providers (those that are written in Go) read it. Returns: NULL: unknown */
const Member *member_find(RequestTarget target, const char *name);
/** member_bound() - the one that bounds an answer, where a request has none of those that do. Returns: its name */
const char *member_bound(RequestTarget target);
/** member_is_client_tool() - does a tool of this type run at the client, that is: in the jail */
bool member_is_client_tool(RequestTarget target, const char *type, size_t n);
