#pragma once
/*
 * otlp: spans in the JSON form of the OpenTelemetry protocol (OTLP/JSON): one TracesData whose ids are hexadecimal
 * and whose 64-bit numbers are strings. Ids come from names alone, so that the same task gives the same trace.
 */
#include "base/json.h"

#define OTLP_TRACE_ID 16u
#define OTLP_SPAN_ID  8u

typedef enum OtlpKind { OTLP_INTERNAL = 1, OTLP_CLIENT = 3 } OtlpKind; /* Span.SpanKind */

typedef enum OtlpStatus {
        OTLP_UNSET = 0,
        OTLP_OK = 1,
        OTLP_ERROR = 2
} OtlpStatus; /* Status.StatusCode */

typedef struct OtlpSpan {
        uint8_t trace[OTLP_TRACE_ID];
        uint8_t id[OTLP_SPAN_ID];
        uint8_t parent[OTLP_SPAN_ID]; /* all zero: the root */
        const char *name;             /* borrowed */
        OtlpKind kind;
        uint64_t start_usec, end_usec; /* since 1970 */
        OtlpStatus status;
        const char *message; /* borrowed; NULL: none */
        cJSON *attributes;   /* otlp_attributes(); consumed by otlp_span() */
        cJSON *events;       /* array of otlp_event(), or NULL; consumed likewise */
} OtlpSpan;

/** otlp_trace_id() - of a task */
void otlp_trace_id(const char *task, uint8_t *ret);

/** otlp_span_id() - of what @key names in a task; never all zero */
void otlp_span_id(const char *task, const char *key, uint8_t *ret);

/** otlp_attributes() - an empty list of KeyValue; NULL: no memory */
cJSON *otlp_attributes(void);

/** otlp_text() - a string attribute; nothing where @value is NULL */
void otlp_text(cJSON *attributes, const char *key, const char *value);

/** otlp_number() - an integer attribute */
void otlp_number(cJSON *attributes, const char *key, uint64_t value);

/** otlp_bool() - a boolean attribute */
void otlp_bool(cJSON *attributes, const char *key, bool value);

/** otlp_event() - a Span.Event; @attributes is consumed */
cJSON *otlp_event(const char *name, uint64_t usec, cJSON *attributes);

/** otlp_span() - a Span; attributes and events are consumed. NULL: no memory */
cJSON *otlp_span(OtlpSpan *span);

/** otlp_document() - TracesData of one resource, this program, with @spans (consumed). NULL: no memory */
cJSON *otlp_document(cJSON *spans);
