#pragma once
/*
 * verdict-json: a verdict as the object of formats.md, its digest, and the text that people and models
 * read. Everything that a command printed is bounded here.
 */
#include "supervisor/front/gate/verdict.h"

#define VERDICT_DETAIL_MAX 12288u

typedef struct VerdictFacts { /* all borrowed */
        const Verdict *verdict;
        const Touched *touched; /* NULL: the patch was not applied */
        const RunResult *run;   /* NULL: no command ran */
        const char *task;       /* NULL: a verify without a task */
        uint64_t n;             /* which verify of the task, from 1 */
        const uint8_t *patch;   /* digests; NULL: unknown */
        const uint8_t *tree;
        const uint8_t *spec;
        const uint8_t *snapshot;
        const uint8_t *policy;
} VerdictFacts;

/**
 * verdict_json() - the object, with its own digest
 *
 * `digest` is the SHA-256 of the canonical text of the object without that member.
 *
 * Returns: fresh tree; NULL: no memory.
 */
cJSON *verdict_json(const VerdictFacts *facts);

/**
 * verdict_detail() - what to know about a verdict in at most VERDICT_DETAIL_MAX bytes
 *
 * The sentence of the verdict; names of failing, missing and skipped tests; files that were put back or
 * taken away; the last lines of the first command that failed. The same facts give the same text.
 *
 * Returns: fresh text (free()); NULL: no memory.
 */
char *verdict_detail(const VerdictFacts *facts);
