#pragma once
/*
 * fit: what can be known of a loaded workflow's values: which steps an expression can see, and what it can find
 * there, by the schemas of those that give it. Only what can never be right is a fault; what is not known is not.
 */
#include "agent/workflow/workflow.h"

/* What is known of a workflow while it is looked at. */
typedef struct Fit {
        const Workflow *workflow;
        Faults *faults;                      /* borrowed; may be NULL */
        const Step *all[WORKFLOW_STEPS_MAX]; /* in the order in which they are written */
        unsigned n;
        cJSON *gives[WORKFLOW_STEPS_MAX]; /* owned; what the kind gives, where it says so */
} Fit;

/**
 * fit_check() - every expression of @workflow, every list, every comparison, every input of a called workflow
 * @faults: where the others go as well; NULL: nowhere
 *
 * Returns: 0, -EINVAL with the path of the first that cannot be right, -ENOMEM.
 */
int fit_check(const Workflow *workflow, Faults *faults, Error *err);

/**
 * fit_schema() - the schema of what expression @number finds, looked at from @where
 * Returns: 0 with @ret_schema (borrowed; NULL: not known), -EINVAL where it can find nothing.
 */
int fit_schema(const Fit *fit, unsigned number, const char *where, const cJSON **ret_schema,
               Error *err);

/** fit_meet() - is there a value that fits both schemas, by their types alone */
bool fit_meet(const cJSON *one, const cJSON *other);

/** fit_is_within() - does JSON path @path lie in what is at @outer */
bool fit_is_within(const char *path, const char *outer);

/**
 * fit_go_in() - the schema of one member (@key a string) or element of what fits @schema
 * @fault: says why there is none; it stays empty where that is not known
 *
 * Returns: borrowed, or NULL.
 */
const cJSON *fit_go_in(const cJSON *schema, const cJSON *key, char *fault, size_t size);
