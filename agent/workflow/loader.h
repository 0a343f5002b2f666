#pragma once
/*
 * loader: steps of a workflow/1 file as they are loaded, and what the loaders of the kinds share.
 */
#include "agent/workflow/workflow.h"

/* Each kind's row is in workflow/kinds.c. */
struct Loader {
        Workflow *workflow;
        const RoleSet *roles;
        const cJSON *library; /* borrowed; {name: workflow} that steps may call; may be NULL */
        const char *ids[WORKFLOW_STEPS_MAX]; /* borrowed, so far */
        unsigned n_ids;
        unsigned *n_all; /* borrowed; steps so far, of all workflows that are loaded */
        unsigned depth;
        size_t place;   /* bytes of the ids that lead here */
        bool forked;    /* what is loaded now works in a fork of the workspace */
        Faults *faults; /* borrowed; NULL: the first ends it */
};

/**
 * loader_list() - a list of steps, behind the @n that are there; what was made is freed by the owner of @steps
 * Returns: 0 or as workflow_load().
 */
int loader_list(Loader *loader, const cJSON *list, const char *path, Step **steps, unsigned *n,
                Error *err);

/**
 * loader_sequence() - a list of steps at @path, behind the inner steps that @parent has already
 *
 * A kind with several lists calls it for each, and loader_add_arm() after each.
 *
 * Returns: 0 or as workflow_load().
 */
int loader_sequence(Loader *loader, const cJSON *list, const char *path, Step *parent, Error *err);

/** loader_single() - one step at @path, behind the inner steps that @parent has. Returns: as workflow_load() */
int loader_single(Loader *loader, const cJSON *json, const char *path, Step *parent, Error *err);

/** loader_forked() - the same; the steps work in a fork: none of them may fork again. Returns: as workflow_load() */
int loader_forked(Loader *loader, const cJSON *list, const char *path, Step *parent, Error *err);

/** loader_add_arm() - the inner steps of @step from @first on are an arm. Returns: 0 or -ENOMEM */
int loader_add_arm(Step *step, unsigned first, unsigned condition, Error *err);

/**
 * loader_expression() - a member @key of @json that is an expression
 * @path: of @json
 *
 * Returns: its number (0 or more), -EINVAL where it is no string or no expression, -ENOMEM.
 */
int loader_expression(Loader *loader, const cJSON *json, const char *key, const char *path,
                      Error *err);

/** loader_duration() - a member such as "5m"; @ret_usec stays where it is absent. Returns: 0 or -EINVAL */
int loader_duration(const cJSON *json, const char *key, const char *path, uint64_t *ret_usec,
                    Error *err);

/** loader_count() - a member from @least to @most; stays where absent. Returns: 0 or -EINVAL */
int loader_count(const cJSON *json, const char *key, const char *path, const unsigned limits[2],
                 unsigned *ret, Error *err);

/** loader_schema() - is @schema, the member @key, a JSON Schema; NULL is fine. Returns: 0 or -EINVAL */
int loader_schema(const cJSON *schema, const char *path, const char *key, Error *err);
