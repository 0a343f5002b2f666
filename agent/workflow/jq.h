#pragma once
/*
 * jq: every expression of a workflow that is not plain, as one compiled jq program. libjq takes 14 ms a
 * compile whatever the length, so there is one compile a run, made while the first model call is under
 * way.
 */
#include "base/error.h"
#include "base/owned.h"

typedef struct JqProgram JqProgram;

/**
 * jq_program_new() - compile @n expressions into one program
 * @ret_culprit: on -EINVAL, the index of the expression that is no jq; @n where only all together fail
 *
 * Returns: 0; -EINVAL with libjq's first words; -ENOMEM.
 */
int jq_program_new(const char *const *texts, unsigned n, JqProgram **ret_program,
                   unsigned *ret_culprit, Error *err);
/** jq_check() - is @text jq? Returns: 0, -EINVAL with libjq's first words, -ENOMEM */
int jq_check(const char *text, Error *err);
/** jq_program_free() - release it. Returns: NULL */
JqProgram *jq_program_free(JqProgram *program);
DEFINE_SCOPED(JqProgram *, jq_program_free);

/** jq_program_on_no_memory() - what libjq calls where it gets none; @handler does not return */
void jq_program_on_no_memory(JqProgram *program, void (*handler)(void *userdata));

/**
 * jq_program_eval() - the first value of expression @index over @data, both JSON texts
 * Returns: 0 with a fresh @ret_value; -EINVAL: it raised an error or gave no value; -ENOMEM. As long as it likes.
 */
int jq_program_eval(JqProgram *program, unsigned index, const char *data, char **ret_value,
                    Error *err);
