#pragma once
/*
 * body-walk: one pass over the JSON text of a body with a stack of containers, which tells of each string in it and of
 * each member of its outermost object. Read in place, without a tree: 8 MiB of brackets would be hundreds of MiB of one.
 */
#include <stdbool.h>
#include <stddef.h>

#include "supervisor/egress/members.h"
#include "supervisor/egress/request.h"

#define BODY_DEPTH_MAX 128

typedef struct BodySpan {
        size_t at, n; /* n == 0: it is not there */
} BodySpan;

typedef struct BodyText { /* all borrowed */
        const char *text;
        size_t n;
        RequestTarget target;
        const char *
                allowed; /* "a,b": what a policy lets out beside: members, "tools:TYPE", "addresses", "files" */
} BodyText;

typedef struct BodyFrame {
        bool object;
        BodySpan name; /* object: of the member that is being read, without its quotes */
} BodyFrame;

typedef struct BodyWalk BodyWalk;

struct BodyWalk {
        const BodyText *body; /* borrowed */
        /* A string value, without its quotes: it stands in the innermost frame. 0, or -EBADMSG and the fault: the walk ends */
        int (*on_string)(BodyWalk *walk, BodySpan value);
        /* A whole value of the outermost object, as it came. Likewise */
        int (*on_member)(BodyWalk *walk, BodySpan name, BodySpan value);
        void *userdata;      /* borrowed, for both */
        RequestFault *fault; /* borrowed */
        size_t at;           /* of the text: so far */
        BodyFrame frames[BODY_DEPTH_MAX];
        unsigned depth;
};

/** body_walk() - all of it. Returns: 0; -EBADMSG and the fault: an event's, or it is no JSON object */
int body_walk(BodyWalk *walk);
/** body_walk_refuse() - fill in the fault. Returns: -EBADMSG */
int body_walk_refuse(BodyWalk *walk, int status, const char *code, const char *text);

/** body_walk_decode() - a name without its escapes. @ret: MEMBER_NAME_MAX bytes. Returns: false where it is longer than any that is known */
bool body_walk_decode(const BodyWalk *walk, BodySpan name, char *ret);
/** body_walk_is() - is a name, decoded and in any case, this one */
bool body_walk_is(const BodyWalk *walk, BodySpan name, const char *text);
/** body_walk_is_any() - or one of these, NULL behind the last */
bool body_walk_is_any(const BodyWalk *walk, BodySpan name, const char *const *texts);
/** body_walk_is_below() - is what is read now below a member of this name */
bool body_walk_is_below(const BodyWalk *walk, const char *name);
