#pragma once
/*
 * first-state: what a workflow's state is before its first step: the defaults of its schema's properties.
 */
#include "base/json.h"

/**
 * first_state_fill() - put the defaults into @state, where it has no member of that name yet
 * @schema: the workflow's "state"; NULL has none
 *
 * Returns: 0 or -ENOMEM.
 */
int first_state_fill(const cJSON *schema, cJSON *state);

/**
 * first_state_check() - does a state of nothing but the defaults fit the schema
 * @schema: the workflow's "state"; NULL: it has none
 *
 * Nothing changes a state before the first step, so that one which does not fit is a fault of the file.
 *
 * Returns: 0, -EINVAL with the fault's place in the file and what to do, or -ENOMEM.
 */
int first_state_check(const cJSON *schema, Error *err);
