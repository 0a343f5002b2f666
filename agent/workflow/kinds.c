/*
 * kinds: the table.
 */
#include "agent/workflow/kinds.h"

#include <stdio.h>
#include <string.h>

#include "agent/workflow/agent-step.h"
#include "agent/workflow/exec-step.h"
#include "agent/workflow/loop-step.h"
#include "agent/workflow/verify-step.h"

static const char *const agent_keys[] = { "prompt", "max_turns", NULL };
static const char *const no_keys[] = { NULL };
static const char *const loop_keys[] = { "max_iterations", "steps", NULL };

static const StepKind kinds[] = {
        { .key = "agent", .takes = agent_keys, .load = agent_step_load, .run = agent_step_run },
        { .key = "exec",
          .takes = no_keys,
          .load = exec_step_load,
          .run = exec_step_run,
          .own_timeout = true },
        { .key = "verify", .takes = no_keys, .load = verify_step_load, .run = verify_step_run },
        { .key = "dountil",
          .takes = loop_keys,
          .load = loop_step_load,
          .run = dountil_step_run,
          .scope = KIND_SHOWS },
        { .key = "dowhile",
          .takes = loop_keys,
          .load = loop_step_load,
          .run = dowhile_step_run,
          .scope = KIND_SHOWS },
};

const StepKind *kinds_find(const char *key) {
        for (unsigned i = 0; i < ELEMENTS(kinds); i++)
                if (strcmp(kinds[i].key, key) == 0)
                        return &kinds[i];
        return NULL;
}

const char *kinds_names(char *text, size_t size) {
        size_t used = 0;

        text[0] = '\0';
        for (unsigned i = 0; i < ELEMENTS(kinds) && used < size; i++)
                used += (size_t) snprintf(text + used, size - used, "%s%s", i ? ", " : "",
                                          kinds[i].key);
        return text;
}
