#pragma once
/*
 * cause: why a run ended without being done, in one word each. The words travel in `finish`, in events
 * and in a task's record; warder-agent(7) lists them with what to do.
 */

typedef enum Cause {
        CAUSE_NONE = 0,
        CAUSE_WORKFLOW,        /* the workflow or a role does not pass its checks */
        CAUSE_EXPRESSION,      /* a condition or template could not be evaluated */
        CAUSE_REPLAY_MISMATCH, /* the recorded model was asked something else than it had recorded */
        CAUSE_MODEL_UNREACHABLE, /* no HTTP answer came, after all tries */
        CAUSE_MODEL_RATE_LIMIT,  /* 429, after all tries */
        CAUSE_MODEL_STATUS, /* another HTTP status than 200, after all tries where it is worth one */
        CAUSE_MODEL_REPLY,  /* an answer that is no chat completion */
        CAUSE_MODEL_LENGTH,    /* the reply was cut at the model's length limit */
        CAUSE_MODEL_FILTER,    /* the provider's content filter or the model refused */
        CAUSE_BAD_CALLS,       /* too many wrong tool calls in a row */
        CAUSE_OUTPUT,          /* the step's output does not fit its schema, after all tries */
        CAUSE_MAX_TURNS,       /* a step used all its model calls */
        CAUSE_MAX_ITERATIONS,  /* a loop used all its iterations */
        CAUSE_SAME_CALL,       /* loop guards (guard-rules.h): the same tool call in a row */
        CAUSE_ALTERNATING,     /* two calls that take turns */
        CAUSE_NO_EDIT,         /* turns without an edit */
        CAUSE_CLAIMS,          /* claims without a verify */
        CAUSE_REQUIREMENT,     /* what a step requires of its output does not hold */
        CAUSE_STEP_TIMEOUT,    /* a step's time limit has passed */
        CAUSE_CONFLICT,        /* forks changed the same, and nobody resolved it */
        CAUSE_NO_WINNER,       /* no fork of a race won */
        CAUSE_MERGE,           /* a merge could not be laid into its workspace */
        CAUSE_REJECTED,        /* people said no to what a step asked */
        CAUSE_GIVEN_UP,        /* a person decided so */
        CAUSE_ENDED,           /* another branch failed or won; never the cause of a whole run */
        CAUSE_LIMIT,           /* the supervisor says that a budget is spent */
        CAUSE_REFUSED,         /* the supervisor refused what a step needs */
        CAUSE_SUPERVISOR_LOST, /* the task socket closed */
        CAUSE_INTERNAL,        /* out of memory, or a bug of ours */
        _CAUSE_MAX,
} Cause;

/** cause_name() - the word, "none" for CAUSE_NONE. Returns: static text */
const char *cause_name(Cause cause);

/** cause_find() - by its word; CAUSE_INTERNAL where it is none. Returns: the cause */
Cause cause_find(const char *name);
