#pragma once
/*
 * journal: what task.info says of an earlier life of this run: the step instances that are committed, with
 * their outputs, those that had begun an effect outside, and the answers of people. Each is named by the
 * instance's path, such as "loop[2]/code".
 */
#include "base/json.h"

typedef struct Journal Journal;

/**
 * journal_new_consume() - take in {"commits": [{path, output?, begun?}…], "state", "memory", "answers"}
 * @json: freed by journal_free() or on failure; NULL: a run that begins
 *
 * Of two commits of one path the later counts.
 *
 * Returns: 0, -ENOMEM, -EINVAL where it is no journal.
 */
int journal_new_consume(cJSON *json, Journal **ret_journal);
/** journal_free() - release it. Returns: NULL */
Journal *journal_free(Journal *journal);
DEFINE_SCOPED(Journal *, journal_free);

/** journal_take() - the committed output of @path; NULL where there is no commit. Owned by the caller */
cJSON *journal_take(Journal *journal, const char *path);

/** journal_is_begun() - did @path begin an effect outside, without a commit? */
bool journal_is_begun(const Journal *journal, const char *path);

/** journal_answer() - what a person answered at @path; borrowed; NULL: nothing yet */
const cJSON *journal_answer(const Journal *journal, const char *path);

/** journal_state() - what the last checkpoint with "state" held; borrowed; NULL: none */
const cJSON *journal_state(const Journal *journal);

/** journal_memory() - the same for "memory" */
const cJSON *journal_memory(const Journal *journal);
