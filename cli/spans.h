#pragma once
/*
 * spans: the spans of one task that have begun and not ended, and those that are finished. The key of a span, from
 * which its id comes, is what it is and where: "step loop[2]/code", "tool loop[2]/code". What happens several times
 * at one place is numbered behind it, in the order of the events.
 */
#include "cli/otlp.h"

#define SPANS_MAX      200000u
#define SPANS_OPEN_MAX 2048u /* that have begun and not ended, at one time */
#define SPANS_PATH_MAX 600u  /* longer ones are the task's own */

typedef struct Spans Spans;

typedef struct OpenSpan {
        char *key;  /* owned: "step loop[2]/code" */
        char *name; /* owned */
        uint64_t start_usec;
        unsigned n;        /* of its key: 1 the first */
        cJSON *attributes; /* owned */
        cJSON *events;     /* owned; NULL: none yet */
        uint8_t parent[OTLP_SPAN_ID];
} OpenSpan;

/** spans_new() - of a task, whose own span begins with the first spans_set_time(). Returns: 0 or -ENOMEM */
int spans_new(const char *task, Spans **ret, Error *err);

/** spans_free() - NULL is fine. Returns: NULL */
Spans *spans_free(Spans *spans);
DEFINE_SCOPED(Spans *, spans_free);

/** spans_set_time() - what begins and ends from now on does so then; time never goes back */
void spans_set_time(Spans *spans, uint64_t usec);

/** spans_task() - the task's own; NULL before the first time, or without memory */
OpenSpan *spans_task(Spans *spans);

/** spans_find() - what is open of this kind at this path; NULL: nothing */
OpenSpan *spans_find(Spans *spans, const char *kind, const char *path);

/** spans_begin() - begin one of @kind in the step @path ("": in the task); NULL: no room */
OpenSpan *spans_begin(Spans *spans, const char *kind, const char *path, const char *name);

/** spans_begin_step() - begin the step instance @path, and what is above it where nobody said that it began */
OpenSpan *spans_begin_step(Spans *spans, const char *path);

/** spans_close() - it ends now; @open is gone. @message may be NULL */
void spans_close(Spans *spans, OpenSpan *open, OtlpStatus status, const char *message);

/** spans_close_below() - all that is open in the step @path ends now */
void spans_close_below(Spans *spans, const char *path);

/** spans_id() - of an open one */
void spans_id(const Spans *spans, const OpenSpan *open, uint8_t *ret);

/**
 * spans_put() - one that is told when it is over: it ended now, in the step @path, after @wall_usec
 * @span: its attributes are consumed; its parent stays where it is set
 */
void spans_put(Spans *spans, const char *kind, const char *path, OtlpSpan *span,
               uint64_t wall_usec);

/** spans_note() - something happened to the task at this moment; @attributes is consumed */
void spans_note(Spans *spans, const char *name, cJSON *attributes);

/** spans_instance() - the open step that @place, a path without numbers, must mean: the one begun last; "": none */
const char *spans_instance(const Spans *spans, const char *place);

/**
 * spans_finish() - the document (OTLP/JSON), owned by the caller; what is open ends now
 * @status:      of the task, with @message
 * @ret_dropped: spans for which there was no room
 *
 * Returns: 0 or -ENOMEM.
 */
int spans_finish(Spans *spans, OtlpStatus status, const char *message, cJSON **ret,
                 uint64_t *ret_dropped, Error *err);
