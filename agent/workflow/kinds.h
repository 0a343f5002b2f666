#pragma once
/*
 * kinds: the one table of what a step may be. A new kind is a row here: its key, the keys that it takes,
 * how it is loaded, how it runs.
 */
#include "agent/workflow/workflow.h"

typedef struct Engine Engine;

struct StepKind {
        const char *key;          /* the key that makes a step one of this kind */
        const char *const *takes; /* further keys, ended by NULL; id and output always */
        /* Returns: 0 or -EINVAL with the path, -ENOMEM. */
        int (*load)(Loader *loader, const cJSON *json, const char *path, Step *step, Error *err);
        /* Returns: 0 with a fresh output, or negative errno with the engine's cause set. */
        int (*run)(Engine *engine, const Step *step, cJSON **ret_output, Error *err);
};

/** kinds_find() - the kind that has this key. Returns: a row or NULL */
const StepKind *kinds_find(const char *key);

/** kinds_names() - "agent, exec, …" for messages. Returns: @text */
const char *kinds_names(char *text, size_t size);
