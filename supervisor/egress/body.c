/*
 * body: one pass over the text with a stack of containers. A string is read up to its closing quote and not
 * decoded, so that what only a provider minds (half a surrogate in a tool's output) passes; names are decoded
 * before they are compared, so that no escape hides one, and compared without case, as some providers (those that are
 * written in Go) do it.
 */
#include "supervisor/egress/body.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"

#define NAME_MAX_BYTES 32 /* of a name that is compared, decoded */

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
        BodyFacts facts;
        bool has_stream;
        RequestFault *fault;
} Walk;

static int refuse(Walk *walk, int status, const char *code, const char *text) {
        *walk->fault = (RequestFault){ status, code, text };
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

static bool is(const Walk *walk, BodySpan name, const char *text) {
        const char *bytes = walk->text + name.at;
        char decoded[NAME_MAX_BYTES];
        size_t used = 0;

        for (size_t from = 0; from < name.n;) {
                if (used == sizeof(decoded) - 1)
                        return false;
                decoded[used++] = decode(bytes, name.n, &from);
        }
        decoded[used] = '\0';
        return strcasecmp(decoded, text) == 0;
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

/* Members of the whole that lead past the route's model, its count of tokens, or the jail's lack of a network. */
static const char *const refused[] = { "mcp_servers", "web_search_options",
                                       "plugins",     "models",
                                       "route",       "prompt",
                                       "background",  NULL };

/* Where an address stands for the thing; a picture may stand there itself, as a data: URL. */
static const char *const addresses[] = { "url", "image_url", "file_url", "video_url", "audio_url",
                                         "uri", "file_uri",  "fileUri",  NULL };

/* Kinds of tools that the client runs, that is: that run in the jail. A word that ends in _ is a beginning. */
static const char *const chat_tools[] = { "function", "custom", NULL };
static const char *const responses_tools[] = { "function",    "custom",    "local_shell",
                                               "apply_patch", "namespace", NULL };
static const char *const messages_tools[] = { "custom",  "bash_",     "text_editor_",
                                              "memory_", "computer_", "tool_search_tool_",
                                              NULL };

static const char *const *tools_of(RequestTarget target) {
        if (target == REQUEST_CHAT)
                return chat_tools;
        return target == REQUEST_RESPONSES ? responses_tools : messages_tools;
}

static bool is_client_tool(const Walk *walk, BodySpan value) {
        for (const char *const *at = tools_of(walk->target); *at; at++) {
                size_t n = strlen(*at);
                bool begins = value.n >= n && memcmp(walk->text + value.at, *at, n) == 0;

                if (begins && (value.n == n || (*at)[n - 1] == '_'))
                        return true;
        }
        return false;
}

/* "type" of a member of a list called "tools" */
static bool is_tool_type(const Walk *walk, BodySpan name) {
        unsigned d = walk->depth;

        return d >= 3 && is(walk, name, "type") && !walk->frames[d - 2].object &&
               walk->frames[d - 3].object && is(walk, walk->frames[d - 3].name, "tools");
}

/* A string value, without its quotes. What a tool is called with is nobody's address but the tool's. */
static int on_string(Walk *walk, BodySpan value) {
        const Frame *frame = &walk->frames[walk->depth - 1];
        static const char data[] = "data:";

        if (!frame->object)
                return 0;
        if (is_tool_type(walk, frame->name) && !is_client_tool(walk, value))
                return refuse(
                        walk, 403, "server_tool",
                        "only tools that run here may be offered: none of the provider's own");
        if (!is_any(walk, frame->name, addresses) || is_below(walk, "arguments") ||
            (walk->target == REQUEST_MESSAGES && is_below(walk, "input")))
                return 0;
        if (value.n >= sizeof(data) - 1 &&
            memcmp(walk->text + value.at, data, sizeof(data) - 1) == 0)
                return 0;
        return refuse(walk, 403, "address",
                      "the provider would fetch this address: send the content itself");
}

/* A whole value of the outermost object. */
static int on_member(Walk *walk, BodySpan name, BodySpan value) {
        const char *text = walk->text + value.at;

        if (is(walk, name, "model")) {
                if (walk->facts.model.n > 0 || *text != '"')
                        return refuse(walk, 400, "bad_request", "one model is needed, a string");
                walk->facts.model = value;
        } else if (is(walk, name, "stream_options")) {
                if (walk->facts.options.n > 0)
                        return refuse(walk, 400, "bad_request",
                                      "stream_options stands there twice");
                walk->facts.options = value;
        } else if (is(walk, name, "stream")) {
                if (walk->has_stream)
                        return refuse(walk, 400, "bad_request", "stream stands there twice");
                walk->has_stream = true;
                walk->facts.stream = value.n == 4 && memcmp(text, "true", 4) == 0;
        } else if (is_any(walk, name, refused) &&
                   !(value.n == 5 && memcmp(text, "false", 5) == 0)) {
                return refuse(
                        walk, 403, "member",
                        "a request may not name models, plugins, prompts or servers of its own");
        }
        return 0;
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
        walk->facts.empty = whole;
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

int body_read(const char *text, size_t n, RequestTarget target, BodyFacts *ret_facts,
              RequestFault *ret_fault) {
        Walk walk = { .text = text, .n = n, .target = target, .fault = ret_fault };
        int r;

        if (peek(&walk) != '{')
                return no_json(&walk);
        walk.facts.open = walk.at + 1;
        r = walk_members(&walk);
        if (r >= 0 && peek(&walk) >= 0)
                r = no_json(&walk);
        if (r < 0)
                return r;
        *ret_facts = walk.facts;
        return 0;
}

/* ---- the same again, as allowed ------------------------------------------------------------------ */

typedef struct Patch {
        BodySpan where; /* n == 0: put in there */
        const char *name, *value;
} Patch;

static int put(Buf *out, const Patch *patch, bool alone) {
        if (patch->where.n > 0)
                return buf_append(out, patch->value, strlen(patch->value));
        return buf_printf(out, "\"%s\":%s%s", patch->name, patch->value, alone ? "" : ",");
}

static int apply(const char *text, size_t n, const Patch *patches, unsigned n_patches, bool empty,
                 Buf *out) {
        size_t at = 0;
        int r = 0;

        for (unsigned i = 0; i < n_patches && r >= 0; i++) {
                r = buf_append(out, text + at, patches[i].where.at - at);
                if (r >= 0)
                        r = put(out, &patches[i], empty && i + 1 == n_patches);
                at = patches[i].where.at + patches[i].where.n;
        }
        return r < 0 ? r : buf_append(out, text + at, n - at);
}

int body_pin(const char *text, size_t n, RequestTarget target, const BodyFacts *facts,
             const char *model, Buf *out) {
        SCOPED(json_free) cJSON *name = cJSON_CreateString(model);
        autofree char *printed = name ? json_print(name) : NULL;
        Patch patches[2];
        unsigned n_patches = 0;

        if (!printed)
                return -ENOMEM;
        if (*model)
                patches[n_patches++] = (Patch){ facts->model, "model", printed };
        if (target == REQUEST_CHAT && facts->stream)
                patches[n_patches++] =
                        (Patch){ facts->options, "stream_options", "{\"include_usage\":true}" };
        for (unsigned i = 0; i < n_patches; i++)
                if (patches[i].where.n == 0)
                        patches[i].where.at = facts->open;
        if (n_patches == 2 && patches[0].where.at > patches[1].where.at) {
                Patch first = patches[1];

                patches[1] = patches[0];
                patches[0] = first;
        }
        return apply(text, n, patches, n_patches, facts->empty, out);
}
