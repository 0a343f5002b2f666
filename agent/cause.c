/*
 * cause: the table of words.
 */
#include "agent/cause.h"

#include <assert.h>
#include <string.h>

#include "base/owned.h"

static const char *const names[] = {
        [CAUSE_NONE] = "none",
        [CAUSE_WORKFLOW] = "workflow_invalid",
        [CAUSE_EXPRESSION] = "expression_failed",
        [CAUSE_REPLAY_MISMATCH] = "replay_mismatch",
        [CAUSE_MODEL_UNREACHABLE] = "model_unreachable",
        [CAUSE_MODEL_RATE_LIMIT] = "model_rate_limit",
        [CAUSE_MODEL_STATUS] = "model_status",
        [CAUSE_MODEL_REPLY] = "model_reply",
        [CAUSE_MODEL_LENGTH] = "model_length",
        [CAUSE_MODEL_FILTER] = "model_filter",
        [CAUSE_BAD_CALLS] = "bad_tool_calls",
        [CAUSE_OUTPUT] = "output_invalid",
        [CAUSE_MAX_TURNS] = "max_turns",
        [CAUSE_MAX_ITERATIONS] = "max_iterations",
        [CAUSE_SAME_CALL] = "same_call",
        [CAUSE_ALTERNATING] = "alternating",
        [CAUSE_NO_EDIT] = "no_edit",
        [CAUSE_CLAIMS] = "claims",
        [CAUSE_REQUIREMENT] = "requirement_failed",
        [CAUSE_STEP_TIMEOUT] = "step_timeout",
        [CAUSE_CONFLICT] = "conflict",
        [CAUSE_NO_WINNER] = "no_winner",
        [CAUSE_MERGE] = "merge_failed",
        [CAUSE_REJECTED] = "rejected",
        [CAUSE_GIVEN_UP] = "given_up",
        [CAUSE_ENDED] = "ended",
        [CAUSE_LIMIT] = "limit",
        [CAUSE_REFUSED] = "refused",
        [CAUSE_SUPERVISOR_LOST] = "supervisor_lost",
        [CAUSE_INTERNAL] = "internal",
};

_Static_assert(ELEMENTS(names) == _CAUSE_MAX, "every cause has a word");

const char *cause_name(Cause cause) {
        assert((unsigned) cause < _CAUSE_MAX);
        return names[cause];
}

Cause cause_find(const char *name) {
        for (unsigned i = 0; i < ELEMENTS(names); i++)
                if (strcmp(names[i], name) == 0)
                        return (Cause) i;
        return CAUSE_INTERNAL;
}
