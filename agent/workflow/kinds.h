#pragma once
/*
 * kinds: the one table of what a step may be. A new kind is a row here: its key, the keys that it takes,
 * how it is loaded, how it runs. Its load and run stand in a file of their own.
 */
#include "agent/workflow/workflow.h"

typedef struct Engine Engine;

/* What the outputs of a kind's inner steps are after it. */
typedef enum KindScope {
        KIND_LEAF, /* it has no inner steps, or they are seen inside only: foreach's, a called workflow's */
        KIND_SHOWS, /* they stay visible: a loop's, a branch's */
} KindScope;

struct StepKind {
        const char *key;          /* the key that makes a step one of this kind */
        const char *const *takes; /* further keys, ended by NULL; those of every kind always */
        /* Returns: 0 or -EINVAL with the path, -ENOMEM. */
        int (*load)(Loader *loader, const cJSON *json, const char *path, Step *step, Error *err);
        /* Returns: 0 with a fresh output, or negative errno with the engine's cause set. */
        int (*run)(Engine *engine, const Step *step, cJSON **ret_output, Error *err);
        void (*unload)(Step *step); /* releases step->own; NULL: it has none */
        const char *gives;          /* JSON Schema of its output; NULL: it depends */
        KindScope scope;
        bool comes_round; /* its inner steps run several times, and see what they gave before */
        bool at_once;     /* its arms run side by side: none sees what another gives */
        bool own_timeout; /* "timeout" is its own affair and no failure */
        bool holds;       /* other steps, which are seen inside only: effects belong to those */
        bool goes_on;     /* a further try keeps what committed: no paths of its own */
};

/** kinds_find() - the kind that has this key. Returns: a row or NULL */
const StepKind *kinds_find(const char *key);

/** kinds_names() - "agent, exec, …" for messages. Returns: @text */
const char *kinds_names(char *text, size_t size);
