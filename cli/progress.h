#pragma once
/*
 * progress: events of a task as people read them on stderr.
 */
#include <stdio.h>

#include "base/json.h"

typedef struct Progress {
        bool replay;        /* the model is a recorded one: said with every call of it */
        char pending[256];  /* a tool call whose result has not come: "bash: make test" */
        uint64_t iteration; /* last one that was announced */
} Progress;

/** progress_event() - one event of formats.md, borrowed */
void progress_event(Progress *progress, const cJSON *event);
