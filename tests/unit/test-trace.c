/* trace, spans, otlp, log-line: events as OTLP/JSON and as lines */
#include "cli/trace.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/units.h"
#include "cli/log-line.h"
#include "cli/otlp.h"
#include "tests/tap.h"

#define TASK  "t-7f3kq2m4ab"
#define BEGIN 1767607200u /* 2026-01-05T10:00:00Z */

static Trace *trace;
static cJSON *document;

static cJSON *make(unsigned msec, const char *name, const char *path, const char *data) {
        char text[4096], time[UNITS_TEXT_MAX];
        cJSON *json = NULL;

        units_format_time((uint64_t) BEGIN * 1000000 + (uint64_t) msec * 1000, time);
        snprintf(text, sizeof(text),
                 "{\"seq\":1,\"time\":\"%s\",\"task\":\"" TASK
                 "\",\"event\":\"%s\",\"step\":\"%s\","
                 "\"data\":%s}",
                 time, name, path, data);
        if (json_parse(text, strlen(text), 0, &json, NULL) < 0)
                tap_result(false, __FILE__, __LINE__, "no JSON: %s", text);
        return json;
}

static void event(unsigned msec, const char *name, const char *path, const char *data) {
        cJSON *json = make(msec, name, path, data);

        trace_event(trace, json);
        (void) json_free(json);
}

static void begin(void) {
        document = json_free(document);
        trace = trace_free(trace);
        trace_new(TASK, &trace, NULL);
}

static const cJSON *finish(void) {
        uint64_t dropped = 0;

        trace_finish(trace, &document, &dropped, NULL);
        is_number((long long) dropped, 0, "no span is left out");
        return json_at(document, "/resourceSpans/0/scopeSpans/0/spans");
}

static const cJSON *find(const cJSON *spans, const char *name) {
        const cJSON *span;

        cJSON_ArrayForEach(span, spans) {
                if (strcmp(json_text(span, "name"), name) == 0)
                        return span;
        }
        return NULL;
}

static const char *attribute(const cJSON *span, const char *key, const char *kind) {
        const cJSON *pair;

        cJSON_ArrayForEach(pair, json_get(span, "attributes")) {
                if (strcmp(json_text(pair, "key"), key) == 0)
                        return json_text(json_get(pair, "value"), kind);
        }
        return NULL;
}

static void is_child(const cJSON *spans, const char *name, const char *parent) {
        const char *got = json_text(find(spans, name), "parentSpanId");
        char what[160];

        snprintf(what, sizeof(what), "%s belongs to %s", name, parent);
        is_text(got, json_text(find(spans, parent), "spanId"), what);
}

static void tell_some(void) {
        event(0, "task.state", "", "{\"state\":\"running\"}");
        event(10, "step.start", "loop", "{\"kind\":\"dountil\",\"path\":\"loop\"}");
        event(20, "step.start", "loop/code",
              "{\"kind\":\"agent\",\"role\":\"developer\",\"path\":\"loop[1]/code\"}");
        event(50, "model.call", "loop/code",
              "{\"role\":\"developer\",\"tokens_in\":9007199254740992,\"tokens_out\":7,"
              "\"wall_usec\":20000,\"path\":\"loop[1]/code\"}");
        event(60, "tool.call", "loop/code",
              "{\"tool\":\"bash\",\"arguments\":\"{}\",\"path\":\"loop[1]/code\"}");
        event(80, "command.end", "loop/code",
              "{\"command\":\"make\",\"cause\":\"exited\",\"code\":2,\"wall_usec\":5000,"
              "\"path\":\"loop[1]/code\"}");
        event(90, "tool.result", "loop/code",
              "{\"ok\":false,\"text\":\"no\\nmore\",\"path\":\"loop[1]/code\"}");
        event(95, "step.end", "loop/code",
              "{\"state\":\"failed\",\"error\":\"broken\",\"path\":\"loop[1]/code\"}");
        event(100, "step.start", "loop/check", "{\"kind\":\"verify\",\"path\":\"loop[1]/check\"}");
        event(100, "verify.start", "loop/check", "{\"n\":1}");
        event(150, "notice", "loop/check",
              "{\"phase\":\"results\",\"id\":\"unit\",\"cause\":\"exited\",\"code\":0,"
              "\"wall_usec\":40000}");
        event(200, "verify.end", "loop/check", "{\"n\":1,\"verdict\":\"passed\"}");
}

static void test_tree(void) {
        const cJSON *spans;

        begin();
        tell_some();
        event(210, "step.end", "loop", "{\"state\":\"done\",\"path\":\"loop\"}");
        event(220, "task.state", "", "{\"state\":\"verified\"}");
        spans = finish();
        is_child(spans, "loop", "task");
        is_child(spans, "loop[1]", "loop");
        is_child(spans, "code", "loop[1]");
        is_child(spans, "chat", "code");
        is_child(spans, "execute_tool bash", "code");
        is_child(spans, "command", "execute_tool bash");
        is_child(spans, "check", "loop[1]");
        is_child(spans, "verify", "check");
        is_child(spans, "results unit", "verify");
        is_number(cJSON_GetArraySize(spans), 10, "and no more");
        ok(!json_get(find(spans, "task"), "parentSpanId"), "the task has no parent");
        is_text(json_text(find(spans, "check"), "endTimeUnixNano"), "1767607200210000000",
                "what had no end of its own ends with its loop");
}

/* As opentelemetry-proto's JSON mapping has it */
static void test_encoding(void) {
        const cJSON *spans, *span;
        const char *id;
        unsigned hex = 0;

        begin();
        tell_some();
        event(220, "task.state", "", "{\"state\":\"limit\",\"cause\":\"verifies\"}");
        spans = finish();
        span = find(spans, "chat");
        id = json_text(span, "traceId");
        for (const char *at = id; at && *at; at++)
                hex += isxdigit((unsigned char) *at) && !isupper((unsigned char) *at);
        is_number(hex, 32, "a trace id is 16 bytes in hexadecimal");
        is_number((long long) strlen(json_text(span, "spanId")), 16, "a span id 8");
        is_text(json_text(span, "startTimeUnixNano"), "1767607200030000000", "times are strings");
        is_text(json_text(span, "endTimeUnixNano"), "1767607200050000000", "of nanoseconds");
        is_number(json_get(span, "kind")->valueint, 3, "kinds are numbers: a client");
        is_number(json_get(find(spans, "code"), "kind")->valueint, 1, "internal");
        is_text(attribute(span, "gen_ai.usage.input_tokens", "intValue"), "9007199254740992",
                "integers are strings");
        is_text(attribute(span, "gen_ai.agent.name", "stringValue"), "developer",
                "texts are texts");
        is_number(json_get(json_get(find(spans, "code"), "status"), "code")->valueint, 2,
                  "what failed is an error");
        is_text(json_text(json_get(find(spans, "code"), "status"), "message"), "broken",
                "with its reason");
        is_text(json_text(json_get(find(spans, "execute_tool bash"), "status"), "message"), "no",
                "of a tool its first line");
        is_text(json_text(json_get(find(spans, "task"), "status"), "message"), "limit: verifies",
                "of the task its state and cause");
        is_number(json_get(json_get(find(spans, "verify"), "status"), "code")->valueint, 1,
                  "a verdict that passed is ok");
        ok(!json_get(json_get(find(spans, "check"), "status"), "code"), "else it is not set");
        is_text(attribute(json_at(document, "/resourceSpans/0/resource"), "service.name",
                          "stringValue"),
                "warder", "the resource is this program");
        is_text(json_text(json_at(document, "/resourceSpans/0/scopeSpans/0/scope"), "name"),
                "warder", "so is the scope");
        is_text(json_text(json_at(find(spans, "task"), "/events/0"), "timeUnixNano"),
                "1767607200000000000", "moments of the task are events");
}

static void test_ids(void) {
        autofree char *once = NULL, *again = NULL;
        const cJSON *spans, *span, *other;
        unsigned same = 0;
        uint8_t one[OTLP_TRACE_ID], two[OTLP_TRACE_ID];

        begin();
        tell_some();
        (void) finish();
        once = json_print(document);
        begin();
        tell_some();
        event(300, "step.start", "loop", "{\"kind\":\"dountil\",\"path\":\"loop\"}");
        event(310, "step.start", "loop/code", "{\"kind\":\"agent\",\"path\":\"loop[1]/code\"}");
        spans = finish();
        cJSON_ArrayForEach(span, spans) {
                for (other = span->next; other; other = other->next)
                        same += strcmp(json_text(span, "spanId"), json_text(other, "spanId")) == 0;
        }
        is_number(same, 0, "no id twice, also where a step is begun again");
        begin();
        tell_some();
        (void) finish();
        again = json_print(document);
        is_text(once, again, "the same events give the same file");
        otlp_trace_id(TASK, one);
        otlp_trace_id("t-7f3kq2m4ac", two);
        ok(memcmp(one, two, sizeof(one)) != 0, "another task is another trace");
}

/* Whatever an agent says of itself */
static void test_strange(void) {
        char path[600] = "", step[32];

        begin();
        event(0, "tool.result", "x", "{}");
        event(0, "step.end", "", "{}");
        event(0, "step.start", "/", "{\"path\":\"/\"}");
        event(0, "step.start", "a", "{\"path\":\"~1/[2]/a]\"}");
        event(0, "step.start", "a", "{\"path\":\"[\"}");
        event(0, "nonsense", "a", "[]");
        for (unsigned i = 0; i < 150; i++)
                strcat(path, "d/");
        event(1, "step.start", path, "{}");
        event(1, "verify.start", path, "{}");
        for (unsigned i = 0; i < 200; i++) {
                snprintf(step, sizeof(step), "s%u[%u]", i, i);
                event(2, "step.start", step, "{}");
                event(2, "tool.call", step, "{}");
                event(2, "tool.call", step, "{}");
                event(3, "step.end", step, "{}");
        }
        ok(cJSON_GetArraySize(finish()) > 200, "all of it is told");
}

/* ---- lines --------------------------------------------------------------------------------------- */

static void line(const char *name, const char *path, const char *data, const char *want) {
        cJSON *json = make(1500, name, path, data);
        Buf out = BUF_EMPTY(65536);

        log_line(json, LOG_TIMES_NONE, 0, &out);
        is_text(out.data, want, name);
        buf_deinit(&out);
        (void) json_free(json);
}

static void test_lines(void) {
        cJSON *json = make(1500, "notice", "", "{\"text\":\"hello\"}");
        Buf out = BUF_EMPTY(65536);

        log_line(json, LOG_TIMES_SINCE, (uint64_t) BEGIN * 1000000, &out);
        log_line(json, LOG_TIMES_UTC, 0, &out);
        is_text(out.data, "+1.500 s  hello\n2026-01-05T10:00:01.500Z  hello\n",
                "two forms of times");
        buf_deinit(&out);
        (void) json_free(json);
        line("step.start", "loop/code", "{\"kind\":\"agent\",\"path\":\"loop[2]/code\"}",
             "loop[2]/code  begins: agent\n");
        line("step.end", "a", "{\"state\":\"failed\",\"wall_usec\":1200,\"error\":\"x\\ny\"}",
             "a  failed, 1.2 ms: x\n");
        line("verify.end", "a",
             "{\"n\":2,\"verdict\":\"failed\",\"tests\":{\"run\":5,\"passed\":1},"
             "\"failing\":[\"a\",\"b\",\"c\",\"d\"]}",
             "a  verdict 2: failed, 1 of 5 tests passed; failing: a, b, c and 1 more\n");
        line("command.end", "a", "{\"command\":\"make\",\"cause\":\"exited\",\"code\":2}",
             "a  command make: exited 2\n");
        line("limit", "", "{\"limit\":\"verifies\"}", "a limit was reached: verifies\n");
        line("later.event", "", "{}", "later.event\n");
        line("notice", "", "{\"text\":\"\\u001b[2J\\u202ex\"}", "\\x1b[2J\\xe2\\x80\\xaex\n");
}

static void at(const char *path, const char *step, bool want) {
        cJSON *json = make(0, "notice", path, "{}");
        char what[160];

        snprintf(what, sizeof(what), "%s is %sin %s", path, want ? "" : "not ", step);
        is_number(log_is_at(json, step), want, what);
        (void) json_free(json);
}

static void test_filter(void) {
        at("loop[2]/code", "loop", true);
        at("loop[2]/code", "loop/code", true);
        at("loop[2]/code", "loop[2]", true);
        at("loop[2]/code", "loop[2]/code", true);
        at("loop[2]/code", "loop[1]", false);
        at("loop[2]/code", "loo", false);
        at("loop[2]/code", "loop/check", false);
        at("loop", "loop/code", false);
        at("loop/check", "loop/check", true);
        at("par/~1/one", "par/one", true);
        at("", "loop", false);
}

int main(void) {
        test_tree();
        test_encoding();
        test_ids();
        test_strange();
        test_lines();
        test_filter();
        document = json_free(document);
        trace = trace_free(trace);
        return tap_end();
}
