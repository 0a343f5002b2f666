#pragma once
/*
 * gate-schema: the gate's tables in the front's ledger (ledger.c applies it). Keys and digests are blobs
 * of 32 bytes; times are microseconds since 1970.
 */

/* gate_setups: what setup made, by what it was made from. base_runs: results of a base's own tests */
#define GATE_SCHEMA                                                                                \
        "CREATE TABLE gate_setups (key BLOB NOT NULL PRIMARY KEY, layer BLOB NOT NULL,"            \
        " used INTEGER NOT NULL) STRICT;"                                                          \
        "CREATE TABLE base_runs (key BLOB NOT NULL PRIMARY KEY, result TEXT NOT NULL,"             \
        " used INTEGER NOT NULL) STRICT;"                                                          \
        "CREATE TABLE tasks (id TEXT NOT NULL PRIMARY KEY, owner INTEGER NOT NULL,"                \
        " state TEXT NOT NULL, cause TEXT, summary TEXT, request TEXT NOT NULL,"                   \
        " workflow TEXT NOT NULL, used TEXT, base BLOB, checkpoint TEXT,"                          \
        " created INTEGER NOT NULL, ended INTEGER) STRICT;"                                        \
        "CREATE TABLE task_events (task TEXT NOT NULL, seq INTEGER NOT NULL, event TEXT NOT NULL," \
        " PRIMARY KEY (task, seq)) STRICT, WITHOUT ROWID;"                                         \
        "CREATE TABLE verdicts (task TEXT NOT NULL, n INTEGER NOT NULL, verdict TEXT NOT NULL,"    \
        " PRIMARY KEY (task, n)) STRICT, WITHOUT ROWID;"                                           \
        "CREATE TABLE patches (task TEXT NOT NULL PRIMARY KEY, digest BLOB NOT NULL,"              \
        " patch BLOB NOT NULL) STRICT;"

/* receipts: chains of lines (receipts.h). ended: 0 while one is written. heads: envelopes, by the line they are of */
#define RECEIPT_SCHEMA                                                                             \
        "CREATE TABLE receipts (subject TEXT NOT NULL PRIMARY KEY, owner INTEGER NOT NULL,"        \
        " ended INTEGER NOT NULL) STRICT;"                                                         \
        "CREATE TABLE receipt_lines (subject TEXT NOT NULL REFERENCES receipts ON DELETE CASCADE," \
        " n INTEGER NOT NULL, line TEXT NOT NULL, PRIMARY KEY (subject, n)) STRICT, WITHOUT "      \
        "ROWID;"                                                                                   \
        "CREATE TABLE receipt_heads (subject TEXT NOT NULL REFERENCES receipts ON DELETE CASCADE," \
        " n INTEGER NOT NULL, envelope TEXT NOT NULL,"                                             \
        " PRIMARY KEY (subject, n)) STRICT, WITHOUT ROWID;"

/* task_inputs: what a task was given, to be run again. transcript: '' where the replies are in task_replies */
#define REPLAY_SCHEMA                                                                             \
        "CREATE TABLE task_inputs (task TEXT NOT NULL PRIMARY KEY, owner INTEGER NOT NULL,"       \
        " made INTEGER NOT NULL, params TEXT NOT NULL, base BLOB NOT NULL,"                       \
        " bytes INTEGER NOT NULL, transcript BLOB NOT NULL, is_whole INTEGER NOT NULL) STRICT;"   \
        "CREATE TABLE task_replies (task TEXT NOT NULL REFERENCES task_inputs ON DELETE CASCADE," \
        " n INTEGER NOT NULL, entry TEXT NOT NULL, PRIMARY KEY (task, n)) STRICT, WITHOUT ROWID;"

/*
 * task_steps: what steps of a task committed (task-steps.h); work: a TaskWork; state, memory: seq of a value of
 * task_values; superseded: seq of the commit that took its place, 0: it counts. task_saves: what a task needs to
 * be taken up again (task-saves.h). steps_from: the first commit that can still be gone back to.
 */
#define STEPS_SCHEMA                                                                               \
        "CREATE TABLE task_steps (task TEXT NOT NULL, seq INTEGER NOT NULL, path TEXT NOT NULL,"   \
        " output TEXT, begun INTEGER NOT NULL, work INTEGER NOT NULL, layer BLOB,"                 \
        " bytes INTEGER NOT NULL, state INTEGER NOT NULL, memory INTEGER NOT NULL,"                \
        " superseded INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (task, seq)) STRICT, WITHOUT ROWID;"  \
        "CREATE INDEX task_steps_counting ON task_steps (task, path) WHERE superseded = 0;"        \
        "CREATE INDEX task_steps_layers ON task_steps (layer) WHERE layer IS NOT NULL;"            \
        "CREATE TABLE task_values (task TEXT NOT NULL, kind INTEGER NOT NULL,"                     \
        " seq INTEGER NOT NULL, value TEXT NOT NULL, PRIMARY KEY (task, kind, seq))"               \
        " STRICT, WITHOUT ROWID;"                                                                  \
        "CREATE TABLE task_saves (task TEXT NOT NULL PRIMARY KEY, owner INTEGER NOT NULL,"         \
        " kept INTEGER NOT NULL, form INTEGER NOT NULL, given BLOB NOT NULL, spec TEXT NOT NULL, " \
        "workflow TEXT NOT NULL,"                                                                  \
        " roles TEXT NOT NULL, transcript BLOB NOT NULL, base BLOB, setup BLOB, held BLOB,"        \
        " bytes INTEGER NOT NULL DEFAULT 0, counters BLOB,"                                        \
        " steps_from INTEGER NOT NULL DEFAULT 0) STRICT;"

/* questions: what tasks asked people (questions.h). who: of AnswerRules, an object; by_uid: -1 is nobody */
#define PEOPLE_SCHEMA                                                                         \
        "CREATE TABLE questions (id TEXT NOT NULL PRIMARY KEY, task TEXT NOT NULL,"           \
        " owner INTEGER NOT NULL, n INTEGER NOT NULL, path TEXT NOT NULL, key BLOB NOT NULL," \
        " what TEXT NOT NULL, who TEXT NOT NULL, patch BLOB, asked INTEGER NOT NULL,"         \
        " until INTEGER NOT NULL, decision TEXT NOT NULL, answer TEXT, comment TEXT,"         \
        " decided INTEGER NOT NULL, by_uid INTEGER NOT NULL) STRICT;"                         \
        "CREATE INDEX questions_task ON questions (task);"                                    \
        "CREATE INDEX questions_open ON questions (until) WHERE decision = 'open';"

/*
 * task_counters: what a task has used (task-saves.h), beside the row that holds what it was given: it changes with
 * each step, and the other is long
 */
#define COUNTERS_SCHEMA                                                                            \
        "CREATE TABLE task_counters (task TEXT NOT NULL PRIMARY KEY REFERENCES task_saves ON "     \
        "DELETE CASCADE, counters BLOB NOT NULL) STRICT, WITHOUT ROWID;"                           \
        "INSERT INTO task_counters SELECT task, counters FROM task_saves WHERE counters NOT NULL;" \
        "ALTER TABLE task_saves DROP COLUMN counters;"

/*
 * layers: what is known of each layer of the store (layer-records.h); checked: when it was read again and was whole, or, with
 * a fault, when that was found; 0: never. Of images that were imported before this form the layers' sizes are not known one
 * by one: what all have together counts for the topmost. shared: who else may use a snapshot; root's were seen by all.
 */
#define LAYERS_SCHEMA                                                                              \
        "CREATE TABLE layers (digest BLOB NOT NULL PRIMARY KEY, bytes INTEGER NOT NULL,"           \
        " entries INTEGER NOT NULL, created INTEGER NOT NULL, checked INTEGER NOT NULL DEFAULT 0," \
        " fault TEXT) STRICT, WITHOUT ROWID;"                                                      \
        "INSERT OR IGNORE INTO layers (digest, bytes, entries, created)"                           \
        " SELECT substr(layers, 1, 32), bytes, entries, created FROM snapshots"                    \
        " ORDER BY length(layers);"                                                                \
        "ALTER TABLE snapshots ADD COLUMN shared INTEGER NOT NULL DEFAULT 0;"                      \
        "UPDATE snapshots SET shared = 1 WHERE owner = 0;"
