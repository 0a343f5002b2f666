/*
 * otlp: see otlp.h. Source of the names: opentelemetry/proto/trace/v1/trace.proto and common/v1/common.proto, with
 * the rules of "JSON Protobuf Encoding": lowerCamelCase names, enums as numbers, traceId and spanId in hexadecimal
 * (not base 64), int64 and fixed64 as decimal strings. A member with its default value is left out.
 */
#include "cli/otlp.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/sha256.h"

#define SCOPE "warder"

static void id_of(const char *what, const char *task, const char *key, uint8_t *ret, size_t n) {
        uint8_t digest[SHA256_SIZE];
        Buf text = BUF_EMPTY(8192);

        (void) buf_printf(&text, "%s\n%s\n%s", what, task, key);
        sha256_of(text.data ? text.data : "", text.len, digest);
        buf_deinit(&text);
        memcpy(ret, digest, n);
        ret[n - 1] |= 1; /* all zero would be no id */
}

void otlp_trace_id(const char *task, uint8_t *ret) {
        id_of("warder trace", task, "", ret, OTLP_TRACE_ID);
}

void otlp_span_id(const char *task, const char *key, uint8_t *ret) {
        id_of("warder span", task, key, ret, OTLP_SPAN_ID);
}

static void add_hex(cJSON *json, const char *name, const uint8_t *id, size_t n) {
        char text[2 * OTLP_TRACE_ID + 1];

        for (size_t i = 0; i < n; i++)
                (void) snprintf(text + 2 * i, 3, "%02x", id[i]);
        json_add_text(json, name, text);
}

static void add_int64(cJSON *json, const char *name, uint64_t value) {
        char text[32];

        (void) snprintf(text, sizeof(text), "%llu", (unsigned long long) value);
        json_add_text(json, name, text);
}

/* ---- attributes ---------------------------------------------------------------------------------- */

cJSON *otlp_attributes(void) {
        return cJSON_CreateArray();
}

/* The value of a new KeyValue, empty */
static cJSON *add_value(cJSON *attributes, const char *key) {
        cJSON *pair = json_push_consume(attributes, cJSON_CreateObject());

        json_add_text(pair, "key", key);
        return json_add_object(pair, "value");
}

void otlp_text(cJSON *attributes, const char *key, const char *value) {
        if (value)
                json_add_text(add_value(attributes, key), "stringValue", value);
}

void otlp_number(cJSON *attributes, const char *key, uint64_t value) {
        add_int64(add_value(attributes, key), "intValue", value);
}

void otlp_bool(cJSON *attributes, const char *key, bool value) {
        json_add_bool(add_value(attributes, key), "boolValue", value);
}

/* ---- spans --------------------------------------------------------------------------------------- */

static void add_nano(cJSON *json, const char *name, uint64_t usec) {
        add_int64(json, name, usec < UINT64_MAX / 1000 ? usec * 1000 : 0);
}

cJSON *otlp_event(const char *name, uint64_t usec, cJSON *attributes) {
        cJSON *json = cJSON_CreateObject();

        add_nano(json, "timeUnixNano", usec);
        json_add_text(json, "name", name);
        json_add_consume(json, "attributes", attributes);
        return json;
}

static void add_status(cJSON *json, const OtlpSpan *span) {
        cJSON *status = json_add_object(json, "status");

        if (span->status != OTLP_UNSET)
                json_add_number(status, "code", span->status);
        if (span->message && span->message[0] && span->status == OTLP_ERROR)
                json_add_text(status, "message", span->message);
}

cJSON *otlp_span(OtlpSpan *span) {
        static const uint8_t none[OTLP_SPAN_ID];
        cJSON *json = cJSON_CreateObject();

        add_hex(json, "traceId", span->trace, OTLP_TRACE_ID);
        add_hex(json, "spanId", span->id, OTLP_SPAN_ID);
        if (memcmp(span->parent, none, OTLP_SPAN_ID) != 0)
                add_hex(json, "parentSpanId", span->parent, OTLP_SPAN_ID);
        json_add_text(json, "name", span->name);
        json_add_number(json, "kind", span->kind);
        add_nano(json, "startTimeUnixNano", span->start_usec);
        add_nano(json, "endTimeUnixNano", span->end_usec);
        json_add_consume(json, "attributes", TAKE_PTR(span->attributes));
        if (span->events)
                json_add_consume(json, "events", TAKE_PTR(span->events));
        add_status(json, span);
        return json;
}

cJSON *otlp_document(cJSON *spans) {
        cJSON *json = cJSON_CreateObject(), *attributes;
        cJSON *resource =
                json_push_consume(json_add_array(json, "resourceSpans"), cJSON_CreateObject());
        cJSON *scoped, *scope;

        attributes = json_add_array(json_add_object(resource, "resource"), "attributes");
        otlp_text(attributes, "service.name", "warder");
        otlp_text(attributes, "service.version", PACKAGE_VERSION);
        scoped = json_push_consume(json_add_array(resource, "scopeSpans"), cJSON_CreateObject());
        scope = json_add_object(scoped, "scope");
        json_add_text(scope, "name", SCOPE);
        json_add_text(scope, "version", PACKAGE_VERSION);
        json_add_consume(scoped, "spans", spans);
        return json;
}
