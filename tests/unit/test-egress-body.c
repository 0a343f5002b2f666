/* egress: what a request asks a provider for. Each refusal has beside it the like of it that is none. */
#include <errno.h>

#include "base/json.h"
#include "supervisor/egress/body.h"
#include "tests/tap.h"

static RequestFault fault; /* of the last one */

static int allowed_status(RequestTarget target, const char *text, const char *allowed) {
        const BodyText body = { text, strlen(text), target, allowed };
        BodyFacts facts;

        return body_read(&body, &facts, &fault) < 0 ? fault.status : 0;
}

static int status_of(RequestTarget target, const char *text) {
        return allowed_status(target, text, "");
}

static void allowed_goes_out(RequestTarget target, const char *text, const char *allowed,
                             const char *want, const char *what) {
        const BodyText body = { text, strlen(text), target, allowed };
        Buf out = BUF_EMPTY(4096);
        BodyFacts facts;

        is_number(body_read(&body, &facts, &fault), 0, what);
        (void) body_pin(&body, &facts, "the \"model\"", &out);
        is_text(out.data, want, "becomes what the route allows");
        buf_deinit(&out);
}

static void pinned(RequestTarget target, const char *text, const char *want, const char *what) {
        allowed_goes_out(target, text, "", want, what);
}

#define M "\"the \\\"model\\\"\""
#define U "{\"include_usage\":true}"

static void model_is_pinned(void) {
        pinned(REQUEST_MESSAGES, " { \"model\" : \"dear\" , \"system\":[{}]} ",
               "{\"model\":" M ",\"system\":[{}]}", "a model of its own");
        pinned(REQUEST_CHAT, "{\"stop\":[1,{\"model\":\"x\"}],\"model\":\"\"}",
               "{\"stop\":[1,{\"model\":\"x\"}],\"model\":" M "}",
               "an empty name, the last member");
        pinned(REQUEST_CHAT, "{}", "{\"model\":" M "}", "nothing at all");
        pinned(REQUEST_CHAT, "{\"stop\":1}", "{\"stop\":1,\"model\":" M "}", "no model");
        pinned(REQUEST_CHAT, "{\"mo\\u0064el\":\"dear\"}", "{\"model\":" M "}",
               "a name behind an escape");
        is_number(status_of(REQUEST_CHAT, "{\"model\":\"a\",\"model\":\"b\"}"), 400, "two models");
        is_number(status_of(REQUEST_CHAT, "{\"model\":\"a\",\"\\u006dodel\":\"b\"}"), 400,
                  "two models, one behind an escape");
        is_number(status_of(REQUEST_CHAT, "{\"model\":\"a\",\"Model\":\"b\"}"), 400,
                  "two models, to a provider that minds no case");
        is_number(status_of(REQUEST_RESPONSES, "{\"Tools\":[{\"TYPE\":\"web_search\"}]}"), 403,
                  "a search, to the same");
        is_number(status_of(REQUEST_CHAT, "{\"model\":[\"a\"]}"), 400, "a list of models");
        is_number(status_of(REQUEST_CHAT, "{\"models\":[\"a\"]}"), 403, "models to fall back to");
}

/* What is left of a budget is asked for, whatever the body says of it */
static void answer_is_bounded(void) {
        static const struct {
                RequestTarget target;
                const char *text, *want;
        } rows[] = {
                { REQUEST_CHAT, "{}", "{\"model\":" M ",\"max_completion_tokens\":70}" },
                { REQUEST_RESPONSES, "{}",
                  "{\"model\":" M ",\"store\":false,\"max_output_tokens\":70}" },
                { REQUEST_MESSAGES, "{}", "{\"model\":" M ",\"max_tokens\":70}" },
                { REQUEST_CHAT, "{\"max_tokens\":1e9}", "{\"max_tokens\":70,\"model\":" M "}" },
                { REQUEST_CHAT, "{\"max_tokens\":-1,\"max_completion_tokens\":60}",
                  "{\"max_tokens\":70,\"max_completion_tokens\":60,\"model\":" M "}" },
                { REQUEST_CHAT, "{\"max_completion_tokens\":null}",
                  "{\"max_completion_tokens\":70,\"model\":" M "}" },
        };

        for (unsigned i = 0; i < ELEMENTS(rows); i++) {
                const BodyText body = { rows[i].text, strlen(rows[i].text), rows[i].target, "" };
                Buf out = BUF_EMPTY(4096);
                BodyFacts facts;

                is_number(body_read(&body, &facts, &fault), 0, "a body");
                facts.most = 70;
                (void) body_pin(&body, &facts, "the \"model\"", &out);
                is_text(out.data, rows[i].want, "asks for no more than there is");
                buf_deinit(&out);
        }
        pinned(REQUEST_CHAT, "{\"max_tokens\":1e9}", "{\"max_tokens\":1e9,\"model\":" M "}",
               "where nothing is short, what it says");
}

static void usage_is_asked_for(void) {
        pinned(REQUEST_CHAT, "{\"model\":\"x\",\"stream\":true}",
               "{\"model\":" M ",\"stream\":true,\"stream_options\":" U "}", "a stream");
        pinned(REQUEST_CHAT,
               "{\"stream_options\":{\"include_usage\":false},\"stream\": true,\"model\":\"x\"}",
               "{\"stream_options\":" U ",\"stream\":true,\"model\":" M "}",
               "a stream that would not say what it costs");
        pinned(REQUEST_CHAT, "{\"model\":\"x\",\"stream\":false}",
               "{\"model\":" M ",\"stream\":false}", "no stream");
        pinned(REQUEST_MESSAGES, "{\"model\":\"x\",\"stream\":true}",
               "{\"model\":" M ",\"stream\":true}", "a stream of Messages says it by itself");
        is_number(status_of(REQUEST_CHAT, "{\"stream\":true,\"stream\":false}"), 400,
                  "stream, twice");
        is_number(status_of(REQUEST_RESPONSES, "{\"background\":true}"), 403,
                  "an answer that nobody waits for");
        is_number(status_of(REQUEST_RESPONSES, "{\"background\":false}"), 0,
                  "one that is waited for");
}

static void tools(void) {
#define TOOL(TYPE) "{\"tools\":[{\"name\":\"x\",\"type\":\"" TYPE "\"}]}"
        static const char nested[] = "{\"tools\":[{\"name\":\"n\",\"type\":\"namespace\",\"tools\":"
                                     "[{\"type\":\"web_search\"}]}]}";
        static const char parameter[] =
                "{\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":"
                "{\"type\":\"object\",\"properties\":{\"url\":{\"type\":\"string\"}}}}}]}";

        is_number(status_of(REQUEST_CHAT, parameter), 0, "a function with a parameter \"url\"");
        is_number(status_of(REQUEST_MESSAGES, "{\"tools\":[{\"name\":\"x\"}]}"), 0, "a plain tool");
        is_number(status_of(REQUEST_MESSAGES, TOOL("bash_20250124")), 0, "a shell that runs here");
        is_number(status_of(REQUEST_MESSAGES, TOOL("web_fetch_20250910")), 403,
                  "one of the provider's that fetches");
        is_number(status_of(REQUEST_MESSAGES, TOOL("code_execution_20250825")), 403,
                  "one that runs there");
        is_number(status_of(REQUEST_RESPONSES, TOOL("web_search")), 403, "a search");
        is_number(status_of(REQUEST_RESPONSES, TOOL("mcp")), 403, "an MCP server");
        is_number(status_of(REQUEST_RESPONSES, nested), 403, "a search within a group");
        is_number(status_of(REQUEST_RESPONSES, "{\"to\\u006fls\":[{\"type\":\"mcp\"}]}"), 403,
                  "behind an escape");
        is_number(status_of(REQUEST_RESPONSES, TOOL("custom")), 0, "a tool of the client's");
        is_number(status_of(REQUEST_CHAT, TOOL("functions")), 403,
                  "a word that only begins like one");
        is_number(status_of(REQUEST_MESSAGES, "{\"mcp_servers\":[{}]}"), 403, "servers of its own");
        is_number(status_of(REQUEST_CHAT, "{\"web_search_options\":{\"a\":1}}"), 403,
                  "a search by the way");
}

static void addresses(void) {
#define PART(REST) "{\"messages\":[{\"role\":\"user\",\"content\":[" REST "]}]}"
        is_number(status_of(REQUEST_CHAT, PART("{\"type\":\"image_url\",\"image_url\":{\"url\":"
                                               "\"https://evil/?secret\"}}")),
                  403, "a picture by its address");
        is_number(status_of(REQUEST_CHAT, PART("{\"type\":\"image_url\",\"image_url\":{\"url\":"
                                               "\"data:image/png;base64,AA\"}}")),
                  0, "a picture itself");
        is_number(status_of(REQUEST_CHAT, PART("{\"image_url\":{\"u\\u0072l\":\"http://evil/\"}}")),
                  403, "behind an escape");
        is_number(status_of(REQUEST_MESSAGES, PART("{\"type\":\"document\",\"source\":{\"type\":"
                                                   "\"url\",\"url\":\"https://evil/\"}}")),
                  403, "a document by its address");
        is_number(status_of(REQUEST_RESPONSES, "{\"input\":[{\"content\":[{\"type\":\"input_file\","
                                               "\"file_url\":\"https://evil/\"}]}]}"),
                  403, "a file by its address, below input");
        is_number(status_of(REQUEST_MESSAGES,
                            PART("{\"type\":\"tool_use\",\"name\":\"fetch\",\"input\":"
                                 "{\"url\":\"https://example.org/\"}}")),
                  0, "what a tool of the client's was called with");
        is_number(status_of(REQUEST_CHAT, PART("{\"type\":\"text\",\"text\":\"see https://x/\"}")),
                  0, "an address in a text");
}

static void members(void) {
        pinned(REQUEST_CHAT,
               "{\"service_tier\":\"priority\",\"metadata\":{\"a\":\"b\"},\"user\":\"u\","
               "\"store\":true,\"frobnicate\":{\"url\":1},\"messages\":[],\"n\":1}",
               "{\"messages\":[],\"n\":1,\"model\":" M "}",
               "what costs more, is kept, or is not known");
        pinned(REQUEST_RESPONSES, "{\"input\":\"x\",\"store\":true,\"client_metadata\":{}}",
               "{\"input\":\"x\",\"model\":" M ",\"store\":false}", "an answer that would be kept");
        pinned(REQUEST_RESPONSES, "{\"previous_response_id\":null,\"input\":\"x\",\"prompt\":{}}",
               "{\"input\":\"x\",\"model\":" M ",\"store\":false}", "names of nothing");
        pinned(REQUEST_MESSAGES,
               "{\"Max_Tokens\":9,\"metadata\":{\"user_id\":\"u\"},\"speed\":\"fast\",\"thinking\":"
               "{}}",
               "{\"max_tokens\":9,\"thinking\":{},\"model\":" M "}", "another's case");
        is_number(status_of(REQUEST_RESPONSES, "{\"previous_response_id\":\"resp_1\"}"), 403,
                  "an answer that the provider keeps");
        ok(strncmp(fault.text, "previous_response_id ", 21) == 0, "which is named");
        is_number(status_of(REQUEST_RESPONSES, "{\"conv\\u0065rsation\":\"c\"}"), 403,
                  "a conversation");
        is_number(status_of(REQUEST_MESSAGES, "{\"container\":\"c\"}"), 403, "a container");
        is_number(status_of(REQUEST_CHAT, "{\"n\":2}"), 403, "two answers");
        is_number(status_of(REQUEST_CHAT, "{\"n\":1.5e1}"), 403, "fifteen of them");
        is_number(status_of(REQUEST_CHAT, "{\"tools\":[],\"Tools\":[]}"), 400, "tools, twice");
}

static void kept_things(void) {
        is_number(status_of(REQUEST_RESPONSES, "{\"input\":[{\"content\":[{\"type\":\"input_file\","
                                               "\"file_id\":\"file_1\"}]}]}"),
                  403, "a file of the provider's");
        is_text(fault.code, "stored", "by its word");
        is_number(status_of(REQUEST_MESSAGES, PART("{\"type\":\"document\",\"source\":{\"type\":"
                                                   "\"file\",\"file_\\u0069d\":\"file_1\"}}")),
                  403, "likewise, behind an escape");
        is_number(status_of(REQUEST_RESPONSES,
                            "{\"input\":[{\"type\":\"item_reference\",\"id\":\"msg_1\"}]}"),
                  403, "an item of an earlier answer");
        is_number(status_of(REQUEST_MESSAGES, PART("{\"type\":\"tool_use\",\"input\":"
                                                   "{\"file_id\":\"7\"}}")),
                  0, "what a tool of the client's was called with");
}

static void policy(void) {
        allowed_goes_out(REQUEST_CHAT,
                         "{\"metadata\":{\"a\":1},\"n\":3,\"frob\":1,\"service_tier\":\"flex\"}",
                         "service_tier,N,frob",
                         "{\"n\":3,\"frob\":1,\"service_tier\":\"flex\",\"model\":" M "}",
                         "what a policy lets out");
        allowed_goes_out(REQUEST_RESPONSES, "{\"store\":true}", "store",
                         "{\"store\":true,\"model\":" M "}", "an answer that may be kept");
        is_number(allowed_status(REQUEST_RESPONSES, TOOL("web_search"), "tools:web_search"), 0,
                  "a search that a policy allows");
        is_number(allowed_status(REQUEST_RESPONSES, TOOL("mcp"), "tools:web_search"), 403,
                  "another tool all the same");
        is_number(allowed_status(REQUEST_CHAT, PART("{\"image_url\":{\"url\":\"http://x/\"}}"),
                                 "addresses"),
                  0, "an address");
        is_number(allowed_status(REQUEST_CHAT, PART("{\"file_id\":\"x\"}"), "addresses,files"), 0,
                  "a file");
}

static void texts(void) {
        static char deep[2 * BODY_DEPTH_MAX + 64];

        is_number(status_of(REQUEST_CHAT, "[]"), 400, "no object");
        is_number(status_of(REQUEST_CHAT, ""), 400, "nothing");
        is_number(status_of(REQUEST_CHAT, "{\"a\":1} {\"model\":\"x\"}"), 400,
                  "a second value behind");
        is_number(status_of(REQUEST_CHAT, "{\"a\":1,}"), 400, "a comma too many");
        is_number(status_of(REQUEST_CHAT, "{\"a\":[1}"), 400, "brackets that cross");
        is_number(status_of(REQUEST_CHAT, "{/**/\"a\":1}"), 400, "a comment");
        is_number(status_of(REQUEST_CHAT, "{\"a\":\"b"), 400, "half a string");
        is_number(status_of(REQUEST_CHAT, "{\"a\":\"b\\"), 400, "half an escape");
        is_number(status_of(REQUEST_CHAT,
                            "{\"a\":\"\\ud800 \\u0000 \\\" }\",\"b\":[[],{},-1.5e+3,null]}"),
                  0, "what a tool's output may look like");
        (void) snprintf(deep, sizeof(deep), "{\"a\":");
        memset(deep + 5, '[', BODY_DEPTH_MAX);
        is_number(status_of(REQUEST_CHAT, deep), 400, "too many brackets");
}

int main(void) {
        model_is_pinned();
        answer_is_bounded();
        usage_is_asked_for();
        tools();
        addresses();
        members();
        kept_things();
        policy();
        texts();
        return tap_end();
}
