#pragma once
/*
 * expression: the set of all jq expressions of one workflow, by number. Each is resolved plainly where it
 * can be, else by the one compiled program of the set, in a process of its own (jq-worker.h). The values that an expression sees:
 * {input, state, steps, iteration, item}.
 */
#include "agent/workflow/faults.h"
#include "base/json.h"

#define EXPRESSION_TEXT_MAX 4096
#define EXPRESSIONS_MAX     512

typedef struct ExpressionSet ExpressionSet;
typedef struct JqWorker JqWorker;

/** expressions_new() - an empty set. Returns: 0 or -ENOMEM */
int expressions_new(ExpressionSet **ret_set);
/** expressions_free() - release it. Returns: NULL */
ExpressionSet *expressions_free(ExpressionSet *set);
DEFINE_SCOPED(ExpressionSet *, expressions_free);

/** expressions_set_worker() - who evaluates what is not plain; borrowed, outlives the set. Else one is made when it is needed */
void expressions_set_worker(ExpressionSet *set, JqWorker *worker);

/**
 * expressions_add() - take in one expression
 * @text, @n: the expression (copied)
 * @path:     where it stands in the workflow, for messages (copied)
 *
 * Returns: its number, -EINVAL (empty or too long), -ENOBUFS (too many), -ENOMEM.
 */
int expressions_add(ExpressionSet *set, const char *text, size_t n, const char *path, Error *err);

/**
 * expressions_compile() - compile what is not plain; does nothing the second time
 * Returns: 0, -EINVAL with the path and text of the one that is no jq, -ENOMEM.
 */
int expressions_compile(ExpressionSet *set, Error *err);

/** expressions_compile_all() - the same, each by itself where together they fail; @faults gets all. Returns: 0, -ENOMEM, as above */
int expressions_compile_all(ExpressionSet *set, Faults *faults, Error *err);

/** expressions_eval() - the value of number @id. Returns: 0 with a fresh @ret_value; negative: the error names it */
int expressions_eval(ExpressionSet *set, unsigned id, const cJSON *data, cJSON **ret_value,
                     Error *err);

/** expressions_test() - as a condition: null and false do not hold. Returns: 0 or negative errno */
int expressions_test(ExpressionSet *set, unsigned id, const cJSON *data, bool *ret_holds,
                     Error *err);

/* What a plain expression is made of; all NULL for others. */
typedef struct ExpressionShape {
        const cJSON *path; /* borrowed; names and indexes; of one path, or one beside a literal */
        const cJSON
                *equal_to; /* borrowed; the literal that == or != compares it with; NULL: none */
} ExpressionShape;

/** expressions_shape() - of number @id */
void expressions_shape(const ExpressionSet *set, unsigned id, ExpressionShape *ret);

typedef int (*ExpressionFn)(unsigned id, const char *path, void *userdata, Error *err);

/** expressions_each() - call @found with each of @owner's, until it fails. Returns: 0 or what @found returned */
int expressions_each(const ExpressionSet *set, const void *owner, ExpressionFn found,
                     void *userdata, Error *err);

/** expressions_text() - as it is written; borrowed */
const char *expressions_text(const ExpressionSet *set, unsigned id);

/** expressions_uses_jq() - is there one that is not plain */
bool expressions_uses_jq(const ExpressionSet *set);

typedef int (*StepNameFn)(const char *name, const char *path, void *userdata, Error *err);

/**
 * expressions_enter() - whose expressions those are that are added from now on
 * @owner: compared only; each workflow of a run has steps of its own
 *
 * Returns: the owner that was.
 */
const void *expressions_enter(ExpressionSet *set, const void *owner);

/**
 * expressions_each_step() - call @found with every step that an expression names (.steps.NAME or
 * .steps["NAME"]), with the path of the expression, until it fails; of those of @owner
 *
 * Returns: 0 or what @found returned.
 */
int expressions_each_step(const ExpressionSet *set, const void *owner, StepNameFn found,
                          void *userdata, Error *err);
