/*
 * body: one pass over the text with a stack of containers. A string is read up to its closing quote and not
 * decoded, so that what only a provider minds (half a surrogate in a tool's output) passes; names are decoded
 * before they are compared, so that no escape hides one, and compared without case, as some providers (those that are
 * written in Go) do it.
 */
#include "supervisor/egress/body.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/egress.h"
#include "base/json.h"

typedef struct Frame {
        bool object;
        BodySpan name; /* object: of the member that is being read, without its quotes */
} Frame;

typedef struct Walk {
        const char *text;
        size_t n, at;
        Frame frames[BODY_DEPTH_MAX];
        unsigned depth;
        RequestTarget target;
        const char *allowed;
        BodyFacts *facts;
        RequestFault *fault;
} Walk;

static int refuse(Walk *walk, int status, const char *code, const char *text) {
        request_fault(walk->fault, status, code, "%s", text);
        return -EBADMSG;
}

static int no_json(Walk *walk) {
        return refuse(walk, 400, "bad_request", "the body is no JSON object");
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
static bool decode_name(const Walk *walk, BodySpan name, char *ret) {
        const char *bytes = walk->text + name.at;
        size_t used = 0;

        for (size_t from = 0; from < name.n;) {
                if (used == MEMBER_NAME_MAX - 1)
                        return false;
                ret[used++] = decode(bytes, name.n, &from);
        }
        ret[used] = '\0';
        return true;
}

static bool is(const Walk *walk, BodySpan name, const char *text) {
        char decoded[MEMBER_NAME_MAX];

        return decode_name(walk, name, decoded) && strcasecmp(decoded, text) == 0;
}

static bool is_any(const Walk *walk, BodySpan name, const char *const *texts) {
        for (; *texts; texts++)
                if (is(walk, name, *texts))
                        return true;
        return false;
}

/* Is what is read now below a member of this name? */
static bool is_below(const Walk *walk, const char *name) {
        for (unsigned i = 0; i < walk->depth; i++)
                if (walk->frames[i].object && is(walk, walk->frames[i].name, name))
                        return true;
        return false;
}

/* ---- rules --------------------------------------------------------------------------------------- */

/* Where an address stands for the thing; a picture may stand there itself, as a data: URL. */
static const char *const addresses[] = { "url", "image_url", "file_url", "video_url", "audio_url",
                                         "uri", "file_uri",  "fileUri",  NULL };

/* Where the name of a file stands that the provider keeps. */
static const char *const files[] = { "file_id", "cached_content", NULL };

/* "type" of a member of a list called "tools" */
static bool is_tool_type(const Walk *walk, BodySpan name) {
        unsigned d = walk->depth;

        return d >= 3 && is(walk, name, "type") && !walk->frames[d - 2].object &&
               walk->frames[d - 3].object && is(walk, walk->frames[d - 3].name, "tools");
}

/* A word of the client's as it can be shown: it may hold anything. */
static void show(const Walk *walk, BodySpan value, char *ret) {
        size_t n = value.n < MEMBER_NAME_MAX ? value.n : MEMBER_NAME_MAX - 1;

        for (size_t i = 0; i < n; i++) {
                char c = walk->text[value.at + i];

                ret[i] = c > ' ' && c < 0x7f && c != '\\' ? c : '?';
        }
        ret[n] = '\0';
}

static int on_tool(Walk *walk, BodySpan type) {
        char shown[MEMBER_NAME_MAX], word[MEMBER_NAME_MAX + 8];

        show(walk, type, shown);
        (void) snprintf(word, sizeof(word), "tools:%s", shown);
        if (member_is_client_tool(walk->target, walk->text + type.at, type.n) ||
            egress_is_allowed(walk->allowed, word))
                return 0;
        request_fault(walk->fault, 403, "server_tool",
                      "tools: %s is not known to run here, and none of the provider's own may be "
                      "offered",
                      shown);
        return -EBADMSG;
}

/* What a tool is called with is nobody's address but the tool's. */
static bool is_called_with(const Walk *walk) {
        return is_below(walk, "arguments") ||
               (request_is_messages(walk->target) && is_below(walk, "input"));
}

static int refuse_named(Walk *walk, BodySpan name, const char *code, const char *text) {
        char decoded[MEMBER_NAME_MAX] = "";

        (void) decode_name(walk, name, decoded);
        request_fault(walk->fault, 403, code, "%s: %s", decoded, text);
        return -EBADMSG;
}

static bool begins(const Walk *walk, BodySpan value, const char *text) {
        size_t n = strlen(text);

        return value.n >= n && memcmp(walk->text + value.at, text, n) == 0;
}

static bool is_reference(const Walk *walk, BodySpan name, BodySpan value) {
        static const char reference[] = "item_reference";

        return is_any(walk, name, files) ||
               (walk->target == REQUEST_RESPONSES && value.n == sizeof(reference) - 1 &&
                begins(walk, value, reference) && is(walk, name, "type"));
}

/* A string value, without its quotes. */
static int on_string(Walk *walk, BodySpan value) {
        const Frame *frame = &walk->frames[walk->depth - 1];

        if (!frame->object)
                return 0;
        if (begins(walk, value, "data:") || is(walk, frame->name, "data"))
                walk->facts->content += value.n;
        if (is_tool_type(walk, frame->name))
                return on_tool(walk, value);
        if (is_reference(walk, frame->name, value) && !is_called_with(walk) &&
            !egress_is_allowed(walk->allowed, "files"))
                return refuse_named(walk, frame->name, "stored",
                                    "what the provider keeps may be another task's: send the "
                                    "content itself");
        if (!is_any(walk, frame->name, addresses) || begins(walk, value, "data:") ||
            is_called_with(walk) || egress_is_allowed(walk->allowed, "addresses"))
                return 0;
        return refuse_named(walk, frame->name, "address",
                            "the provider would fetch this address: send the content itself");
}

/* ---- members ------------------------------------------------------------------------------------- */

/* null, false, an empty text, list or object: as good as not there */
static bool is_nothing(const Walk *walk, BodySpan value) {
        static const char *const nothing[] = { "null", "false", "\"\"", "[]", "{}", NULL };

        for (const char *const *at = nothing; *at; at++)
                if (value.n == strlen(*at) && begins(walk, value, *at))
                        return true;
        return false;
}

static uint64_t count_in(const char *text, size_t n) {
        uint64_t count = 0;

        for (size_t i = 0; i < n && i < 15; i++) {
                if (text[i] < '0' || text[i] > '9')
                        return 0;
                count = 10 * count + (uint64_t) (text[i] - '0');
        }
        return count;
}

static uint64_t count_of(const Walk *walk, BodySpan value) {
        return count_in(walk->text + value.at, value.n);
}

/* @known: NULL: the policy lets it out */
static int keep(Walk *walk, const Member *known, BodySpan name, BodySpan value) {
        BodyFacts *facts = walk->facts;
        bool bounds = known && known->bounds;
        uint64_t count = bounds ? count_of(walk, value) : 0;

        for (unsigned i = 0; known && i < facts->n_kept; i++)
                if (facts->kept[i].name == known->name) {
                        request_fault(walk->fault, 400, "bad_request", "%s stands there twice",
                                      known->name);
                        return -EBADMSG;
                }
        if (facts->n_kept == BODY_KEPT_MAX)
                return refuse(walk, 400, "bad_request", "the body has too many members");
        facts->kept[facts->n_kept++] = (BodyMember){ .name = known ? known->name : NULL,
                                                     .raw = name,
                                                     .value = value,
                                                     .bounds = bounds && !is_nothing(walk, value) };
        if (count > facts->most)
                facts->most = count;
        return 0;
}

/* A whole value of the outermost object. */
static int on_member(Walk *walk, BodySpan name, BodySpan value) {
        char text[MEMBER_NAME_MAX];
        const Member *known =
                decode_name(walk, name, text) ? member_find(walk->target, text) : NULL;
        MemberRule rule = known ? known->rule : MEMBER_UNKNOWN;
        const char *first = walk->text + value.at;

        if (known && strcmp(known->name, "model") == 0 && *first != '"')
                return refuse(walk, 400, "bad_request", "one model is needed, a string");
        if (known && strcmp(known->name, "stream") == 0)
                walk->facts->stream |= value.n == 4 && memcmp(first, "true", 4) == 0;
        if (rule == MEMBER_PASSES ||
            (decode_name(walk, name, text) && egress_is_allowed(walk->allowed, text)))
                return keep(walk, known, name, value);
        if (rule == MEMBER_UNKNOWN || is_nothing(walk, value))
                return 0;
        if (rule == MEMBER_ONE && value.n == 1 && *first == '1')
                return keep(walk, known, name, value);
        return refuse(walk, 403, "member", known->why);
}

/* ---- the text ------------------------------------------------------------------------------------ */

static int peek(Walk *walk) {
        while (walk->at < walk->n && walk->text[walk->at] &&
               strchr(" \t\r\n", walk->text[walk->at]))
                walk->at++;
        return walk->at < walk->n ? (unsigned char) walk->text[walk->at] : -1;
}

/* At an opening quote. */
static int take_string(Walk *walk, BodySpan *ret) {
        size_t start = ++walk->at;

        for (; walk->at < walk->n; walk->at++) {
                unsigned char c = (unsigned char) walk->text[walk->at];

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

static int take_word(Walk *walk) {
        static const char letters[] = "+-.0123456789abcdefghijklmnopqrstuvwxyzE";
        size_t start = walk->at;

        while (walk->at < walk->n && walk->text[walk->at] && strchr(letters, walk->text[walk->at]))
                walk->at++;
        return walk->at > start ? 0 : no_json(walk);
}

/* "name": of the innermost object. */
static int take_name(Walk *walk) {
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
static int take_open(Walk *walk, bool *ret_whole) {
        bool object = walk->text[walk->at] == '{';

        if (walk->depth == BODY_DEPTH_MAX)
                return refuse(walk, 400, "bad_request", "the body is nested too deeply");
        walk->frames[walk->depth++] = (Frame){ .object = object };
        walk->at++;
        *ret_whole = peek(walk) == (object ? '}' : ']');
        if (*ret_whole) {
                walk->at++;
                walk->depth--;
                return 0;
        }
        return object ? take_name(walk) : 0;
}

static int take_value(Walk *walk, bool *ret_whole) {
        int c = peek(walk), r;
        BodySpan value;

        if (c == '{' || c == '[')
                return take_open(walk, ret_whole);
        *ret_whole = true;
        if (c != '"')
                return take_word(walk);
        r = take_string(walk, &value);
        return r < 0 ? r : on_string(walk, value);
}

/* Behind a whole value: closes what closes here. *ret_done: the outermost object did. */
static int take_rest(Walk *walk, size_t *start, bool *ret_done) {
        for (;;) {
                const Frame *frame = &walk->frames[walk->depth - 1];
                int c, r = 0;

                if (walk->depth == 1)
                        r = on_member(walk, frame->name, (BodySpan){ *start, walk->at - *start });
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

static int walk_members(Walk *walk) {
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

int body_read(const BodyText *body, BodyFacts *ret_facts, RequestFault *ret_fault) {
        BodyFacts facts = { 0 };
        Walk walk = { .text = body->text,
                      .n = body->n,
                      .target = body->target,
                      .allowed = body->allowed,
                      .facts = &facts,
                      .fault = ret_fault };
        int r;

        if (peek(&walk) != '{')
                return no_json(&walk);
        r = walk_members(&walk);
        if (r >= 0 && peek(&walk) >= 0)
                r = no_json(&walk);
        if (r < 0)
                return r;
        *ret_facts = facts;
        return 0;
}

/* ---- what goes out ------------------------------------------------------------------------------- */

/* A number that bounds the answer is as large as it asked, or what there is left of it; so is what is no number. */
static int put_bound(const BodyText *body, const BodyMember *member, uint64_t most, Buf *out) {
        uint64_t asked = count_in(body->text + member->value.at, member->value.n);

        return buf_printf(out, "%s\"%s\":%llu", out->len > 1 ? "," : "", member->name,
                          (unsigned long long) (asked > 0 && asked < most ? asked : most));
}

typedef struct Pin { /* a member that is what the route says */
        const char *name, *value;
        bool done;
} Pin;

static int put(Buf *out, const char *name, const char *value) {
        return buf_printf(out, "%s\"%s\":%s", out->len > 1 ? "," : "", name, value);
}

static Pin *pin_of(Pin *pins, unsigned n_pins, const char *name) {
        for (unsigned i = 0; i < n_pins; i++)
                if (name && strcmp(pins[i].name, name) == 0)
                        return &pins[i];
        return NULL;
}

static int put_member(const BodyText *body, const BodyMember *member, Buf *out) {
        int r = buf_printf(out, "%s\"", out->len > 1 ? "," : "");

        if (r >= 0)
                r = member->name ? buf_append(out, member->name, strlen(member->name))
                                 : buf_append(out, body->text + member->raw.at, member->raw.n);
        if (r >= 0)
                r = buf_append(out, "\":", 2);
        return r < 0 ? r : buf_append(out, body->text + member->value.at, member->value.n);
}

static int put_all(const BodyText *body, const BodyFacts *facts, Pin *pins, unsigned n_pins,
                   Buf *out) {
        int r = buf_append(out, "{", 1);

        for (unsigned i = 0; i < facts->n_kept && r >= 0; i++) {
                Pin *pin = pin_of(pins, n_pins, facts->kept[i].name);

                if (pin)
                        pin->done = true;
                if (facts->most > 0 && facts->kept[i].bounds)
                        r = put_bound(body, &facts->kept[i], facts->most, out);
                else
                        r = pin ? put(out, pin->name, pin->value)
                                : put_member(body, &facts->kept[i], out);
        }
        for (unsigned i = 0; i < n_pins && r >= 0; i++)
                if (!pins[i].done)
                        r = put(out, pins[i].name, pins[i].value);
        return r < 0 ? r : buf_append(out, "}", 1);
}

static bool is_bounded(const BodyFacts *facts) {
        for (unsigned i = 0; i < facts->n_kept; i++)
                if (facts->kept[i].bounds)
                        return true;
        return false;
}

int body_pin(const BodyText *body, const BodyFacts *facts, const char *model, Buf *out) {
        SCOPED(json_free) cJSON *name = cJSON_CreateString(model);
        autofree char *printed = name ? json_print(name) : NULL;
        Pin pins[3];
        unsigned n_pins = 0;
        char most[24];

        if (!printed)
                return -ENOMEM;
        if (*model)
                pins[n_pins++] = (Pin){ .name = "model", .value = printed };
        if (body->target == REQUEST_CHAT && facts->stream)
                pins[n_pins++] =
                        (Pin){ .name = "stream_options", .value = "{\"include_usage\":true}" };
        if (body->target == REQUEST_RESPONSES && !egress_is_allowed(body->allowed, "store"))
                pins[n_pins++] = (Pin){ .name = "store", .value = "false" };
        (void) snprintf(most, sizeof(most), "%llu", (unsigned long long) facts->most);
        if (facts->most > 0 && !is_bounded(facts))
                pins[n_pins++] = (Pin){ .name = member_bound(body->target), .value = most };
        return put_all(body, facts, pins, n_pins, out);
}
