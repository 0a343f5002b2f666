/*
 * spans: see spans.h. Iterations and items have no events of their own: their spans begin with the first step in
 * them and end with their loop.
 */
#include "cli/spans.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MAX  (SPANS_PATH_MAX + 64)
#define SLOTS    262144u /* of the table that counts keys */
#define TASK_KEY "task"

typedef struct Count { /* how often a key was used */
        uint8_t id[OTLP_SPAN_ID];
        unsigned n;
} Count;

struct Spans {
        char *task;  /* owned */
        cJSON *done; /* owned */
        unsigned n_done, n_open, n_counts;
        OpenSpan open[SPANS_OPEN_MAX]; /* the task's own is the first */
        Count counts[SLOTS];           /* by id; when it is full, further keys are not numbered */
        uint64_t now_usec;
        uint64_t dropped;
};

/* ---- keys and ids -------------------------------------------------------------------------------- */

static void make_key(const char *kind, const char *path, char *ret) {
        (void) snprintf(ret, KEY_MAX, "%s%s%s", kind, *path ? " " : "", path);
}

/* How often this key was used, this time counted */
static unsigned count(Spans *spans, const char *key) {
        uint8_t id[OTLP_SPAN_ID];
        uint32_t at;

        otlp_span_id(spans->task, key, id);
        memcpy(&at, id, sizeof(at));
        for (unsigned i = 0; i < SLOTS; i++) {
                Count *slot = &spans->counts[(at + i) % SLOTS];

                if (slot->n > 0 && memcmp(slot->id, id, sizeof(id)) == 0)
                        return ++slot->n;
                if (slot->n > 0)
                        continue;
                if (spans->n_counts >= SLOTS / 4 * 3)
                        break;
                spans->n_counts++;
                memcpy(slot->id, id, sizeof(id));
                slot->n = 1;
                break;
        }
        return 1;
}

static void id_of(const Spans *spans, const char *key, unsigned n, uint8_t *ret) {
        char text[KEY_MAX + 32];

        (void) snprintf(text, sizeof(text), "%s", key);
        if (n > 1)
                (void) snprintf(text, sizeof(text), "%s #%u", key, n);
        otlp_span_id(spans->task, text, ret);
}

/* From its last part on */
static void cut_last(char *path) {
        char *slash = strrchr(path, '/');

        *(slash ? slash : path) = '\0';
}

static const char *last_part(const char *path) {
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

/* "loop[2]/code" -> "loop[2]" -> "loop"; "par/~1/one" -> "par"; "" where it is the task */
static void cut_to_parent(char *path) {
        const char *last = last_part(path);
        size_t n = strlen(path), number = strcspn(last, "[");

        if (number > 0 && last[number] == '[' && path[n - 1] == ']') {
                path[(size_t) (last - path) + number] = '\0';
                return;
        }
        cut_last(path);
        if (*last_part(path) == '~')
                cut_last(path);
}

/* ---- finished ------------------------------------------------------------------------------------ */

static void put(Spans *spans, OtlpSpan *span) {
        if (spans->n_done >= SPANS_MAX) {
                spans->dropped++;
                span->attributes = json_free(span->attributes);
                span->events = json_free(span->events);
                return;
        }
        spans->n_done += json_push_consume(spans->done, otlp_span(span)) != NULL;
}

static void clear(OpenSpan *open) {
        free(open->key);
        free(open->name);
        open->attributes = json_free(open->attributes);
        open->events = json_free(open->events);
}

void spans_close(Spans *spans, OpenSpan *open, OtlpStatus status, const char *message) {
        OtlpSpan span = { .name = open->name,
                          .kind = OTLP_INTERNAL,
                          .start_usec = open->start_usec,
                          .end_usec = spans->now_usec,
                          .status = status,
                          .message = message };

        span.attributes = TAKE_PTR(open->attributes);
        span.events = TAKE_PTR(open->events);
        otlp_trace_id(spans->task, span.trace);
        id_of(spans, open->key, open->n, span.id);
        memcpy(span.parent, open->parent, sizeof(span.parent));
        put(spans, &span);
        clear(open);
        *open = spans->open[--spans->n_open];
}

/* Those whose key begins so; the last ones first, so that what takes a freed place was looked at */
static void close_prefix(Spans *spans, const char *prefix) {
        size_t n = strlen(prefix);

        for (unsigned i = spans->n_open; i-- > 1;)
                if (strncmp(spans->open[i].key, prefix, n) == 0)
                        spans_close(spans, &spans->open[i], OTLP_UNSET, NULL);
}

void spans_close_below(Spans *spans, const char *path) {
        char key[KEY_MAX];

        (void) snprintf(key, sizeof(key), "step %s/", path);
        close_prefix(spans, key);
        (void) snprintf(key, sizeof(key), "step %s[", path); /* iterations and items */
        close_prefix(spans, key);
}

/* ---- open ---------------------------------------------------------------------------------------- */

OpenSpan *spans_task(Spans *spans) {
        return spans->n_open > 0 ? &spans->open[0] : NULL;
}

OpenSpan *spans_find(Spans *spans, const char *kind, const char *path) {
        char key[KEY_MAX];

        make_key(kind, path, key);
        for (unsigned i = spans->n_open; i-- > 0;)
                if (strcmp(spans->open[i].key, key) == 0)
                        return &spans->open[i];
        return NULL;
}

static OpenSpan *add(Spans *spans, const char *key, const char *name) {
        OpenSpan *open = &spans->open[spans->n_open];

        if (spans->n_open == SPANS_OPEN_MAX) {
                spans->dropped++;
                return NULL;
        }
        *open = (OpenSpan){ .key = strdup(key),
                            .name = strdup(*name ? name : "?"),
                            .start_usec = spans->now_usec,
                            .attributes = otlp_attributes() };
        if (!open->key || !open->name || !open->attributes) {
                clear(open);
                return NULL;
        }
        open->n = count(spans, key);
        spans->n_open++;
        return open;
}

/* The id of a step's span, or of the task's where @path is "" or there is no room for it */
static void parent_id(Spans *spans, const char *path, uint8_t *ret) {
        OpenSpan *open = *path ? spans_find(spans, "step", path) : NULL;

        if (*path && !open)
                open = spans_begin_step(spans, path);
        id_of(spans, open ? open->key : TASK_KEY, open ? open->n : 1, ret);
}

OpenSpan *spans_begin(Spans *spans, const char *kind, const char *path, const char *name) {
        uint8_t parent[OTLP_SPAN_ID];
        char key[KEY_MAX];
        OpenSpan *open;

        parent_id(spans, path, parent);
        make_key(kind, path, key);
        open = add(spans, key, name);
        if (open)
                memcpy(open->parent, parent, sizeof(parent));
        return open;
}

OpenSpan *spans_begin_step(Spans *spans, const char *path) {
        uint8_t parent[OTLP_SPAN_ID];
        char key[KEY_MAX], above[KEY_MAX];
        OpenSpan *open;

        (void) snprintf(above, sizeof(above), "%s", path);
        cut_to_parent(above);
        parent_id(spans, above, parent);
        make_key("step", path, key);
        open = add(spans, key, last_part(path));
        if (!open)
                return NULL;
        memcpy(open->parent, parent, sizeof(parent));
        otlp_text(open->attributes, "warder.step", path);
        return open;
}

void spans_id(const Spans *spans, const OpenSpan *open, uint8_t *ret) {
        id_of(spans, open->key, open->n, ret);
}

void spans_put(Spans *spans, const char *kind, const char *path, OtlpSpan *span,
               uint64_t wall_usec) {
        static const uint8_t none[OTLP_SPAN_ID];
        char key[KEY_MAX];

        make_key(kind, path, key);
        otlp_trace_id(spans->task, span->trace);
        if (memcmp(span->parent, none, sizeof(none)) == 0)
                parent_id(spans, path, span->parent);
        id_of(spans, key, count(spans, key), span->id);
        span->end_usec = spans->now_usec;
        span->start_usec = wall_usec < spans->now_usec ? spans->now_usec - wall_usec : 0;
        put(spans, span);
}

void spans_note(Spans *spans, const char *name, cJSON *attributes) {
        OpenSpan *task = spans_task(spans);

        if (!task) {
                (void) json_free(attributes);
                return;
        }
        if (!task->events)
                task->events = cJSON_CreateArray();
        json_push_consume(task->events, otlp_event(name, spans->now_usec, attributes));
}

/* Is @path, without its numbers, @place */
static bool is_at(const char *path, const char *place) {
        while (*path) {
                size_t n = strcspn(path, "/"), id = strcspn(path, "[/");

                if (*path != '~') {
                        if (strncmp(path, place, id) != 0 || (place[id] && place[id] != '/'))
                                return false;
                        place += id;
                        place += *place == '/';
                }
                path += n;
                path += *path == '/';
        }
        return !*place;
}

const char *spans_instance(const Spans *spans, const char *place) {
        for (unsigned i = spans->n_open; i-- > 1;) {
                const char *key = spans->open[i].key;

                if (strncmp(key, "step ", 5) == 0 && is_at(key + 5, place))
                        return key + 5;
        }
        return "";
}

/* ---- begin and end ------------------------------------------------------------------------------- */

void spans_set_time(Spans *spans, uint64_t usec) {
        OpenSpan *task;

        if (usec > spans->now_usec)
                spans->now_usec = usec;
        if (spans->n_open > 0 || spans->n_done > 0)
                return;
        task = add(spans, TASK_KEY, TASK_KEY);
        if (task)
                otlp_text(task->attributes, "warder.task", spans->task);
}

int spans_new(const char *task, Spans **ret, Error *err) {
        SCOPED(spans_free) Spans *spans = calloc(1, sizeof(*spans));

        if (spans) {
                spans->task = strdup(task);
                spans->done = cJSON_CreateArray();
        }
        if (!spans || !spans->task || !spans->done)
                return error_set(err, -ENOMEM, "make a trace");
        *ret = TAKE_PTR(spans);
        return 0;
}

Spans *spans_free(Spans *spans) {
        if (!spans)
                return NULL;
        while (spans->n_open > 0)
                clear(&spans->open[--spans->n_open]);
        (void) json_free(spans->done);
        free(spans->task);
        free(spans);
        return NULL;
}

int spans_finish(Spans *spans, OtlpStatus status, const char *message, cJSON **ret,
                 uint64_t *ret_dropped, Error *err) {
        close_prefix(spans, "");
        if (spans->n_open > 0)
                spans_close(spans, &spans->open[0], status, message);
        *ret_dropped = spans->dropped;
        *ret = otlp_document(TAKE_PTR(spans->done));
        return *ret ? 0 : error_set(err, -ENOMEM, "write the trace");
}
