#pragma once
/*
 * workflow: a workflow/1 file as a checked tree of steps (warder-workflow(5)). Everything that can be
 * known before the run is checked here: kinds, keys, types, ids, limits, roles, the steps that
 * expressions name. Each fault is named by its JSON path.
 */
#include "agent/roles/role.h"
#include "agent/workflow/template.h"

#define WORKFLOW_STEPS_MAX      128
#define WORKFLOW_DEPTH_MAX      8
#define WORKFLOW_ITERATIONS_MAX 1000
#define WORKFLOW_ARGUMENTS_MAX  64
#define WORKFLOW_PATH_MAX       256

typedef struct Step Step;
typedef struct StepKind StepKind;

struct Step {
        const StepKind *kind;
        const char *id;      /* borrowed from the workflow's JSON */
        const cJSON *output; /* borrowed; schema of what it gives, NULL: anything */
        Step *steps;         /* owned; of a kind that has an inner sequence */
        unsigned n_steps;

        const Role *role;     /* agent: borrowed from the role set */
        Template *prompt;     /* agent: owned */
        unsigned max_turns;   /* agent */
        Template **arguments; /* exec: owned list; of a shell line: one, literal */
        unsigned n_arguments;
        bool shell;            /* exec: arguments[0] is a shell line */
        uint64_t timeout_usec; /* exec: 0: the supervisor's own limit */
        unsigned condition;    /* loops: number of the expression */
        unsigned max_iterations;
};

typedef struct Workflow {
        cJSON *json;                /* owned */
        const char *name;           /* borrowed from json */
        const cJSON *input;         /* borrowed; schema, may be NULL */
        ExpressionSet *expressions; /* owned */
        Step *steps;                /* owned */
        unsigned n_steps;
} Workflow;

/**
 * workflow_load() - check a workflow and make its tree
 * @json:  the file's content (copied)
 * @roles: those that a step may name; borrowed, outlive the workflow
 *
 * Returns: 0, -EINVAL with "workflow NAME: /json/path: what is wrong", -ENOMEM.
 */
int workflow_load(const cJSON *json, const RoleSet *roles, Workflow **ret_workflow, Error *err);
/** workflow_free() - release it. Returns: NULL */
Workflow *workflow_free(Workflow *workflow);
DEFINE_SCOPED(Workflow *, workflow_free);

/* What the loaders of the kinds share; each kind's row is in workflow/kinds.c. */
typedef struct Loader {
        Workflow *workflow;
        const RoleSet *roles;
        const char *ids[WORKFLOW_STEPS_MAX]; /* borrowed, so far */
        unsigned n_ids;
        unsigned depth;
} Loader;

/** workflow_load_sequence() - a list of steps at @path. Returns: 0 or as workflow_load() */
int workflow_load_sequence(Loader *loader, const cJSON *list, const char *path, Step *parent,
                           Error *err);

/** workflow_fault() - "@path/@key: text". Returns: -EINVAL */
int workflow_fault(Error *err, const char *path, const char *key, const char *format, ...)
        __attribute__((format(printf, 4, 5)));
