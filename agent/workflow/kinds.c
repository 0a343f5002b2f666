/*
 * kinds: the table.
 */
#include "agent/workflow/kinds.h"

#include <stdio.h>
#include <string.h>

#include "agent/workflow/agent-step.h"
#include "agent/workflow/ask-step.h"
#include "agent/workflow/branch-step.h"
#include "agent/workflow/call-step.h"
#include "agent/workflow/command-agent-step.h"
#include "agent/workflow/exec-step.h"
#include "agent/workflow/foreach-step.h"
#include "agent/workflow/loop-step.h"
#include "agent/workflow/map-step.h"
#include "agent/workflow/parallel-step.h"
#include "agent/workflow/race-step.h"
#include "agent/workflow/sleep-step.h"
#include "agent/workflow/split-step.h"
#include "agent/workflow/verify-step.h"

static const char *const agent_keys[] = { "prompt", "max_turns", NULL };
static const char *const ask_keys[] = { "about",     "plan", "choices",  "answer",
                                        "otherwise", "wait", "rejected", NULL };
static const char *const command_agent_keys[] = { "env", NULL };
static const char *const no_keys[] = { NULL };
static const char *const call_keys[] = { "with", NULL };
static const char *const branch_keys[] = { "mode", NULL };
static const char *const parallel_keys[] = { "concurrency", NULL };
static const char *const foreach_keys[] = { "steps", "concurrency", "max_items", NULL };
static const char *const split_keys[] = { "steps",       "resolve",   "max_conflicts",
                                          "concurrency", "max_items", NULL };
static const char *const race_keys[] = { "steps", "wins", "concurrency", NULL };
static const char *const loop_keys[] = { "max_iterations", "steps", NULL };

#define CLOSED(MEMBERS) \
        "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{" MEMBERS "}}"

/* What each gives, where its step says nothing else: for warder-workflow(5) and fit.c. */
static const char agent_gives[] = CLOSED("\"text\":{\"type\":\"string\"}");
static const char exec_gives[] =
        CLOSED("\"cause\":{\"type\":\"string\"},\"code\":{\"type\":[\"integer\",\"null\"]},"
               "\"signal\":{\"type\":[\"integer\",\"null\"]},\"ok\":{\"type\":\"boolean\"},"
               "\"output\":{\"type\":\"string\"},\"cut\":{\"type\":\"boolean\"},"
               "\"digest\":{\"type\":\"string\"},\"wall_usec\":{\"type\":\"integer\"}");
static const char verify_gives[] =
        "{\"type\":\"object\",\"properties\":{\"verdict\":{\"enum\":[\"passed\",\"failed\","
        "\"flaky\",\"tampered\",\"timeout\",\"error\"]}}}";
static const char loop_gives[] = CLOSED("\"iterations\":{\"type\":\"integer\"}");
static const char sleep_gives[] = CLOSED("\"until\":{\"type\":\"string\"}");

static const StepKind kinds[] = {
        { .key = "agent",
          .takes = agent_keys,
          .load = agent_step_load,
          .run = agent_step_run,
          .gives = agent_gives },
        { .key = "command-agent",
          .takes = command_agent_keys,
          .load = command_agent_step_load,
          .run = command_agent_step_run,
          .unload = command_agent_step_unload,
          .own_timeout = true },
        { .key = "exec",
          .takes = no_keys,
          .load = exec_step_load,
          .run = exec_step_run,
          .gives = exec_gives,
          .own_timeout = true },
        { .key = "verify",
          .takes = no_keys,
          .load = verify_step_load,
          .run = verify_step_run,
          .gives = verify_gives },
        { .key = "dountil",
          .takes = loop_keys,
          .load = loop_step_load,
          .run = dountil_step_run,
          .gives = loop_gives,
          .scope = KIND_SHOWS,
          .comes_round = true },
        { .key = "dowhile",
          .takes = loop_keys,
          .load = loop_step_load,
          .run = dowhile_step_run,
          .gives = loop_gives,
          .scope = KIND_SHOWS,
          .comes_round = true },
        { .key = "branch",
          .takes = branch_keys,
          .load = branch_step_load,
          .run = branch_step_run,
          .scope = KIND_SHOWS },
        { .key = "parallel",
          .takes = parallel_keys,
          .load = parallel_step_load,
          .run = parallel_step_run,
          .scope = KIND_SHOWS,
          .at_once = true },
        { .key = "foreach",
          .takes = foreach_keys,
          .load = foreach_step_load,
          .run = foreach_step_run,
          .holds = true,
          .gives = "{\"type\":\"array\"}" },
        { .key = "split",
          .takes = split_keys,
          .load = split_step_load,
          .run = split_step_run,
          .holds = true,
          .goes_on = true },
        { .key = "race",
          .takes = race_keys,
          .load = race_step_load,
          .run = race_step_run,
          .holds = true },
        { .key = "map",
          .takes = no_keys,
          .load = map_step_load,
          .run = map_step_run,
          .unload = map_step_unload },
        { .key = "sleep",
          .takes = no_keys,
          .load = sleep_step_load,
          .run = sleep_step_run,
          .gives = sleep_gives,
          .unload = sleep_step_unload },
        { .key = "workflow",
          .takes = call_keys,
          .load = call_step_load,
          .run = call_step_run,
          .holds = true,
          .unload = call_step_unload },
        { .key = "ask",
          .takes = ask_keys,
          .load = ask_step_load,
          .run = ask_step_run,
          .unload = ask_step_unload },
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
