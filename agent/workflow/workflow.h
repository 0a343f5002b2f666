#pragma once
/*
 * workflow: a workflow/1 file as a checked tree of steps (warder-workflow(5)). Everything that can be
 * known before the run is checked here: kinds, keys, types, ids, limits, roles, the steps that
 * expressions name. Each fault is named by its JSON path.
 */
#include <limits.h>

#include "agent/roles/role.h"
#include "agent/workflow/faults.h"
#include "agent/workflow/template.h"

#define WORKFLOW_STEPS_MAX 128
#define WORKFLOW_STEPS_ALL_MAX \
        1024 /* with those of the workflows that it calls, as often as it does */
#define WORKFLOW_DEPTH_MAX      8
#define WORKFLOW_ITERATIONS_MAX 1000
#define WORKFLOW_ARGUMENTS_MAX  64
#define WORKFLOW_PATH_MAX       256

typedef struct Step Step;
typedef struct StepKind StepKind;
typedef struct Loader Loader; /* loader.h */

#define EXPRESSION_NONE UINT_MAX /* no expression: what would be a condition holds */

/* A part of a step's inner list: a branch's arm, or one of the sequences that run side by side. */
typedef struct StepArm {
        unsigned first; /* in the step's inner list */
        unsigned n;
        unsigned condition; /* number of the expression, or EXPRESSION_NONE */
} StepArm;

/* A member of the state that a step sets when it is done. */
typedef struct StepSet {
        const char *name;    /* borrowed from the workflow's JSON */
        unsigned expression; /* its value */
} StepSet;

struct Step {
        const StepKind *kind;
        const char *id;      /* borrowed from the workflow's JSON */
        const cJSON *json;   /* borrowed; the step as it is written */
        char *where;         /* owned; its JSON path in its workflow: "/steps/1/steps/0" */
        const cJSON *output; /* borrowed; schema of what it gives, NULL: anything */
        Step *steps;         /* owned; all its inner steps in the order in which they are written */
        unsigned n_steps;
        StepArm *arms; /* owned; NULL: the inner steps are one sequence */
        unsigned n_arms;

        /* what a step of any kind may have */
        unsigned retries;         /* further tries after a failure */
        uint64_t retry_wait_usec; /* before the first of them; doubled for each */
        uint64_t timeout_usec;    /* 0: none. exec: the command's, which is no failure */
        unsigned require;         /* condition that must hold when it is done, or EXPRESSION_NONE */
        StepSet *sets;            /* owned */
        unsigned n_sets;
        bool outside; /* it has effects outside of the jail: never repeated silently */

        /* of some kinds */
        const Role *role;     /* agent: borrowed from the role set */
        Template *prompt;     /* agent: owned */
        unsigned max_turns;   /* agent */
        Template **arguments; /* exec: owned list; of a shell line: one, literal */
        unsigned n_arguments;
        bool shell;              /* exec: arguments[0] is a shell line */
        unsigned condition;      /* loops: condition; foreach: its list; number of the expression */
        unsigned max_iterations; /* loops; foreach: most items */
        unsigned max_conflicts;  /* split: rounds in which conflicts go back to a worker */
        unsigned concurrency;    /* parallel, foreach; 0: as many as may be */
        void *own;               /* of a kind with more to keep; released by its unload */
};

typedef struct Workflow {
        cJSON *json;                /* owned; NULL: it is a part of another's */
        const char *name;           /* borrowed from the JSON */
        const char *description;    /* borrowed; NULL: none */
        const cJSON *input;         /* borrowed; schema, may be NULL */
        const cJSON *state;         /* borrowed; schema, may be NULL */
        ExpressionSet *expressions; /* owned by the outermost, borrowed by those that it calls */
        Step *steps;                /* owned */
        unsigned n_steps;
        Step *finally; /* owned; run at the end, whatever it is */
        unsigned n_finally;
} Workflow;

/**
 * workflow_load() - check a workflow and make its tree
 * @json:  the file's content (copied)
 * @roles: those that a step may name; borrowed, outlive the workflow
 *
 * Returns: 0, -EINVAL with "workflow NAME: /json/path: what is wrong", -ENOMEM.
 */
int workflow_load(const cJSON *json, const RoleSet *roles, Workflow **ret_workflow, Error *err);

/**
 * workflow_load_all() - the same, but go on behind faults, so that all can be told
 * @faults: gets them; each as of workflow_load()
 *
 * What follows from another fault is not looked for: only a workflow whose steps are good one by one is looked at as
 * a whole.
 *
 * Returns: as workflow_load(); 0 with @ret_workflow untouched where there were faults.
 */
int workflow_load_all(const cJSON *json, const RoleSet *roles, Faults *faults,
                      Workflow **ret_workflow, Error *err);
/** workflow_free() - release it. Returns: NULL */
Workflow *workflow_free(Workflow *workflow);
DEFINE_SCOPED(Workflow *, workflow_free);

/** workflow_load_called() - a workflow of the library, for the one that @loader loads. Returns: as workflow_load() */
int workflow_load_called(Loader *loader, const char *name, const char *path,
                         Workflow **ret_workflow, Error *err);

/** workflow_fault() - "@path/@key: text". Returns: -EINVAL */
int workflow_fault(Error *err, const char *path, const char *key, const char *format, ...)
        __attribute__((format(printf, 4, 5)));
