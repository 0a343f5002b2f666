/*
 * body-walk: see body-walk.h. A string is read up to its closing quote and not decoded, so that what only a provider
 * minds (half a surrogate in a tool's output) passes; names are decoded before they are compared, so that no escape
 * hides one, and compared without case, as some providers (those that are written in Go) do it.
 */
#include "supervisor/egress/body-walk.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

int body_walk_refuse(BodyWalk *walk, int status, const char *code, const char *text) {
        request_fault(walk->fault, status, code, "%s", text);
        return -EBADMSG;
}

static int no_json(BodyWalk *walk) {
        return body_walk_refuse(walk, 400, "bad_request", "the body is no JSON object");
}

/* ---- names --------------------------------------------------------------------------------------- */

static int hex(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        c |= 0x20;
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One character of a name at @from; what is no ASCII becomes '?', which no name of ours has. */
static char decode(const char *text, size_t n, size_t *from) {
        char c = text[(*from)++];
        int code = 0;

        if (c != '\\' || *from >= n)
                return c > 0 ? c : '?';
        c = text[(*from)++];
        if (c != 'u')
                return strchr("\"\\/", c) ? c : '?';
        for (unsigned i = 0; i < 4 && *from < n; i++)
                code = 16 * code + hex(text[(*from)++]);
        return code > 0 && code < 0x80 ? (char) code : '?';
}

/* Returns: false where it is longer than any that is known. */
bool body_walk_decode(const BodyWalk *walk, BodySpan name, char *ret) {
        const char *bytes = walk->body->text + name.at;
        size_t used = 0;

        for (size_t from = 0; from < name.n;) {
                if (used == MEMBER_NAME_MAX - 1)
                        return false;
                ret[used++] = decode(bytes, name.n, &from);
        }
        ret[used] = '\0';
        return true;
}

bool body_walk_is(const BodyWalk *walk, BodySpan name, const char *text) {
        char decoded[MEMBER_NAME_MAX];

        return body_walk_decode(walk, name, decoded) && strcasecmp(decoded, text) == 0;
}

bool body_walk_is_any(const BodyWalk *walk, BodySpan name, const char *const *texts) {
        for (; *texts; texts++)
                if (body_walk_is(walk, name, *texts))
                        return true;
        return false;
}

/* Is what is read now below a member of this name? */
bool body_walk_is_below(const BodyWalk *walk, const char *name) {
        for (unsigned i = 0; i < walk->depth; i++)
                if (walk->frames[i].object && body_walk_is(walk, walk->frames[i].name, name))
                        return true;
        return false;
}

/* ---- the text ------------------------------------------------------------------------------------ */

static int peek(BodyWalk *walk) {
        while (walk->at < walk->body->n && walk->body->text[walk->at] &&
               strchr(" \t\r\n", walk->body->text[walk->at]))
                walk->at++;
        return walk->at < walk->body->n ? (unsigned char) walk->body->text[walk->at] : -1;
}

/* At an opening quote. */
static int take_string(BodyWalk *walk, BodySpan *ret) {
        size_t start = ++walk->at;

        for (; walk->at < walk->body->n; walk->at++) {
                unsigned char c = (unsigned char) walk->body->text[walk->at];

                if (c < ' ')
                        break;
                if (c == '\\')
                        walk->at++;
                if (c == '"') {
                        *ret = (BodySpan){ start, walk->at - start };
                        walk->at++;
                        return 0;
                }
        }
        return no_json(walk);
}

static int take_word(BodyWalk *walk) {
        static const char letters[] = "+-.0123456789abcdefghijklmnopqrstuvwxyzE";
        size_t start = walk->at;

        while (walk->at < walk->body->n && walk->body->text[walk->at] &&
               strchr(letters, walk->body->text[walk->at]))
                walk->at++;
        return walk->at > start ? 0 : no_json(walk);
}

/* "name": of the innermost object. */
static int take_name(BodyWalk *walk) {
        int r;

        if (peek(walk) != '"')
                return no_json(walk);
        r = take_string(walk, &walk->frames[walk->depth - 1].name);
        if (r < 0)
                return r;
        if (peek(walk) != ':')
                return no_json(walk);
        walk->at++;
        return 0;
}

/* A container opens. *ret_whole: it is empty, and closed again. */
static int take_open(BodyWalk *walk, bool *ret_whole) {
        bool object = walk->body->text[walk->at] == '{';

        if (walk->depth == BODY_DEPTH_MAX)
                return body_walk_refuse(walk, 400, "bad_request", "the body is nested too deeply");
        walk->frames[walk->depth++] = (BodyFrame){ .object = object };
        walk->at++;
        *ret_whole = peek(walk) == (object ? '}' : ']');
        if (*ret_whole) {
                walk->at++;
                walk->depth--;
                return 0;
        }
        return object ? take_name(walk) : 0;
}

static int take_value(BodyWalk *walk, bool *ret_whole) {
        int c = peek(walk), r;
        BodySpan value;

        if (c == '{' || c == '[')
                return take_open(walk, ret_whole);
        *ret_whole = true;
        if (c != '"')
                return take_word(walk);
        r = take_string(walk, &value);
        return r < 0 ? r : walk->on_string(walk, value);
}

/* Behind a whole value: closes what closes here. *ret_done: the outermost object did. */
static int take_rest(BodyWalk *walk, size_t *start, bool *ret_done) {
        for (;;) {
                const BodyFrame *frame = &walk->frames[walk->depth - 1];
                int c, r = 0;

                if (walk->depth == 1)
                        r = walk->on_member(walk, frame->name,
                                            (BodySpan){ *start, walk->at - *start });
                if (r < 0)
                        return r;
                c = peek(walk);
                if (c == ',') {
                        walk->at++;
                        r = frame->object ? take_name(walk) : 0;
                        (void) peek(walk);
                        *start = walk->depth == 1 ? walk->at : *start;
                        return r;
                }
                if (c != (frame->object ? '}' : ']'))
                        return no_json(walk);
                walk->at++;
                if (--walk->depth == 0) {
                        *ret_done = true;
                        return 0;
                }
        }
}

static int walk_members(BodyWalk *walk) {
        bool whole = false, done = false;
        size_t start;
        int r;

        r = take_open(walk, &whole);
        if (whole)
                return r;
        (void) peek(walk);
        start = walk->at;
        while (r >= 0 && !done) {
                r = take_value(walk, &whole);
                if (r >= 0 && whole)
                        r = take_rest(walk, &start, &done);
        }
        return r;
}

int body_walk(BodyWalk *walk) {
        int r;

        if (peek(walk) != '{')
                return no_json(walk);
        r = walk_members(walk);
        return r >= 0 && peek(walk) >= 0 ? no_json(walk) : r;
}
