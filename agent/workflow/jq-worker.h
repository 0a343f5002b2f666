#pragma once
/*
 * jq-worker: a process of its own that compiles and evaluates what is not plain (jq.h). An expression is a program: it
 * may never end, or take all memory there is, and libjq offers no way to stop it; a process can be ended. What it did is
 * then an error of that expression, and the agent goes on to what the workflow has for errors.
 *
 * It is made before its maker locks itself down, and does so itself. One that has ended is not made again: what it is
 * asked from then on is refused, with the same reason.
 */
#include "base/json.h"

#define JQ_WORKER_CPU_SEC      5u             /* of processor time, for one request */
#define JQ_WORKER_MEMORY_BYTES (256ull << 20) /* of all that it has itself */

typedef struct JqWorker JqWorker;

/**
 * jq_worker_new() - start one
 * @title: the first argument of our program, which becomes the worker's name there; NULL: it stays
 *
 * Returns: 0 and a worker that its caller frees; negative errno.
 */
int jq_worker_new(char *title, JqWorker **ret_worker, Error *err);
/** jq_worker_place() - have its descriptor be @fd, below what lock_down() closes. Returns: 0 or negative errno */
int jq_worker_place(JqWorker *worker, int fd, Error *err);
/**
 * jq_worker_set_vital() - where it is killed, and said nothing of an expression, our process ends: its supervisor starts another,
 * which goes on from the last commit. NULL is fine
 */
void jq_worker_set_vital(JqWorker *worker);
/** jq_worker_free() - let it end. Returns: NULL */
JqWorker *jq_worker_free(JqWorker *worker);
DEFINE_SCOPED(JqWorker *, jq_worker_free);

/**
 * jq_worker_compile() - compile @n expressions, as jq_program_new(); once
 * Returns: 0; -EINVAL with libjq's first words, or with what ended the worker; -ENOMEM; -EIO.
 */
int jq_worker_compile(JqWorker *worker, const char *const *texts, unsigned n, unsigned *ret_culprit,
                      Error *err);

/** jq_worker_check() - is @text jq, as jq_check(); what is compiled stays. Returns: as jq_worker_compile() */
int jq_worker_check(JqWorker *worker, const char *text, Error *err);

/**
 * jq_worker_eval() - the first value of expression @index over @data, as jq_program_eval()
 * Returns: 0 with a fresh @ret_value; -EINVAL with what was wrong, or with what ended the worker; -ENOMEM; -EIO.
 */
int jq_worker_eval(JqWorker *worker, unsigned index, const cJSON *data, cJSON **ret_value,
                   Error *err);
