/*
 * body: see body.h. What is minded at each string and each member of a walk (body-walk.h), and then the request put
 * together again of what was kept.
 */
#include "supervisor/egress/body.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/egress.h"
#include "base/json.h"
#include "supervisor/egress/body-walk.h"

/* ---- strings ------------------------------------------------------------------------------------- */

/* Where an address stands for the thing; a picture may stand there itself, as a data: URL. */
static const char *const addresses[] = { "url", "image_url", "file_url", "video_url", "audio_url",
                                         "uri", "file_uri",  "fileUri",  NULL };

/* Where the name of a file stands that the provider keeps. */
static const char *const files[] = { "file_id", "cached_content", NULL };

/* "type" of a member of a list called "tools" */
static bool is_tool_type(const BodyWalk *walk, BodySpan name) {
        unsigned d = walk->depth;

        return d >= 3 && body_walk_is(walk, name, "type") && !walk->frames[d - 2].object &&
               walk->frames[d - 3].object && body_walk_is(walk, walk->frames[d - 3].name, "tools");
}

/* A word of the client's as it can be shown: it may hold anything. */
static void show(const BodyWalk *walk, BodySpan value, char *ret) {
        size_t n = value.n < MEMBER_NAME_MAX ? value.n : MEMBER_NAME_MAX - 1;

        for (size_t i = 0; i < n; i++) {
                char c = walk->body->text[value.at + i];

                ret[i] = c > ' ' && c < 0x7f && c != '\\' ? c : '?';
        }
        ret[n] = '\0';
}

static int on_tool(BodyWalk *walk, BodySpan type) {
        char shown[MEMBER_NAME_MAX], word[MEMBER_NAME_MAX + 8];

        show(walk, type, shown);
        (void) snprintf(word, sizeof(word), "tools:%s", shown);
        if (member_is_client_tool(walk->body->target, walk->body->text + type.at, type.n) ||
            egress_is_allowed(walk->body->allowed, word))
                return 0;
        request_fault(walk->fault, 403, "server_tool",
                      "tools: %s is not known to run here, and none of the provider's own may be "
                      "offered",
                      shown);
        return -EBADMSG;
}

/* What a tool is called with is nobody's address but the tool's. */
static bool is_called_with(const BodyWalk *walk) {
        return body_walk_is_below(walk, "arguments") ||
               (request_is_messages(walk->body->target) && body_walk_is_below(walk, "input"));
}

static int refuse_named(BodyWalk *walk, BodySpan name, const char *code, const char *text) {
        char decoded[MEMBER_NAME_MAX] = "";

        (void) body_walk_decode(walk, name, decoded);
        request_fault(walk->fault, 403, code, "%s: %s", decoded, text);
        return -EBADMSG;
}

static bool begins(const BodyWalk *walk, BodySpan value, const char *text) {
        size_t n = strlen(text);

        return value.n >= n && memcmp(walk->body->text + value.at, text, n) == 0;
}

static bool is_reference(const BodyWalk *walk, BodySpan name, BodySpan value) {
        static const char reference[] = "item_reference";

        return body_walk_is_any(walk, name, files) ||
               (walk->body->target == REQUEST_RESPONSES && value.n == sizeof(reference) - 1 &&
                begins(walk, value, reference) && body_walk_is(walk, name, "type"));
}

/* A string value, without its quotes. */
static int on_string(BodyWalk *walk, BodySpan value) {
        BodyFacts *facts = walk->userdata;
        const BodyFrame *frame = &walk->frames[walk->depth - 1];

        if (!frame->object)
                return 0;
        if (begins(walk, value, "data:") || body_walk_is(walk, frame->name, "data"))
                facts->content += value.n;
        if (is_tool_type(walk, frame->name))
                return on_tool(walk, value);
        if (is_reference(walk, frame->name, value) && !is_called_with(walk) &&
            !egress_is_allowed(walk->body->allowed, "files"))
                return refuse_named(walk, frame->name, "stored",
                                    "what the provider keeps may be another task's: send the "
                                    "content itself");
        if (!body_walk_is_any(walk, frame->name, addresses) || begins(walk, value, "data:") ||
            is_called_with(walk) || egress_is_allowed(walk->body->allowed, "addresses"))
                return 0;
        return refuse_named(walk, frame->name, "address",
                            "the provider would fetch this address: send the content itself");
}

/* ---- members ------------------------------------------------------------------------------------- */

/* null, false, an empty text, list or object: as good as not there */
static bool is_nothing(const BodyWalk *walk, BodySpan value) {
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

/* @known: NULL: the policy lets it out */
static int keep(BodyWalk *walk, const Member *known, BodySpan name, BodySpan value) {
        BodyFacts *facts = walk->userdata;
        bool bounds = known && known->bounds;
        uint64_t count = bounds ? count_in(walk->body->text + value.at, value.n) : 0;

        for (unsigned i = 0; known && i < facts->n_kept; i++)
                if (facts->kept[i].name == known->name) {
                        request_fault(walk->fault, 400, "bad_request", "%s stands there twice",
                                      known->name);
                        return -EBADMSG;
                }
        if (facts->n_kept == BODY_KEPT_MAX)
                return body_walk_refuse(walk, 400, "bad_request", "the body has too many members");
        facts->kept[facts->n_kept++] = (BodyMember){ .name = known ? known->name : NULL,
                                                     .raw = name,
                                                     .value = value,
                                                     .bounds = bounds && !is_nothing(walk, value) };
        if (count > facts->most)
                facts->most = count;
        return 0;
}

/* A whole value of the outermost object. */
static int on_member(BodyWalk *walk, BodySpan name, BodySpan value) {
        BodyFacts *facts = walk->userdata;
        char text[MEMBER_NAME_MAX];
        bool named = body_walk_decode(walk, name, text);
        const Member *known = named ? member_find(walk->body->target, text) : NULL;
        MemberRule rule = known ? known->rule : MEMBER_UNKNOWN;
        const char *first = walk->body->text + value.at;

        if (known && strcmp(known->name, "model") == 0 && *first != '"')
                return body_walk_refuse(walk, 400, "bad_request", "one model is needed, a string");
        if (known && strcmp(known->name, "stream") == 0)
                facts->stream |= value.n == 4 && memcmp(first, "true", 4) == 0;
        if (rule == MEMBER_PASSES || (named && egress_is_allowed(walk->body->allowed, text)))
                return keep(walk, known, name, value);
        if (rule == MEMBER_UNKNOWN || is_nothing(walk, value))
                return 0;
        if (rule == MEMBER_ONE && value.n == 1 && *first == '1')
                return keep(walk, known, name, value);
        return body_walk_refuse(walk, 403, "member", known->why);
}

int body_read(const BodyText *body, BodyFacts *ret_facts, RequestFault *ret_fault) {
        BodyFacts facts = { 0 };
        BodyWalk walk = { .body = body,
                          .on_string = on_string,
                          .on_member = on_member,
                          .userdata = &facts,
                          .fault = ret_fault };
        int r = body_walk(&walk);

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
