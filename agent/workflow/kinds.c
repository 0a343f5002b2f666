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
static const char *const exec_keys[] = { "timeout", NULL };
static const char *const verify_keys[] = { NULL };
static const char *const loop_keys[] = { "max_iterations", "steps", NULL };

static const StepKind kinds[] = {
        { "agent", agent_keys, agent_step_load, agent_step_run },
        { "exec", exec_keys, exec_step_load, exec_step_run },
        { "verify", verify_keys, verify_step_load, verify_step_run },
        { "dountil", loop_keys, loop_step_load, dountil_step_run },
        { "dowhile", loop_keys, loop_step_load, dowhile_step_run },
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
