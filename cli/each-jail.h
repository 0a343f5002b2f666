#pragma once
/*
 * each-jail: verbs that do the same to each jail that is named.
 */
#include "base/json.h"
#include "cli/verbs.h"

typedef struct EachJail {
        const char *verb; /* its name, for --json */
        const char *method;
        const cJSON *more; /* further parameters, borrowed; NULL: none */
        /* for people; with --json each result is printed. NULL: nothing is said of one */
        void (*show)(const char *word, const cJSON *result);
} EachJail;

/**
 * each_jail() - ask with "jail" for each word of @call
 *
 * All are tried, so that one wrong name does not keep the others from it.
 *
 * Returns: 0; 1: one was refused, and it was said; VERB_E_USAGE: none was named; or negative errno.
 */
int each_jail(const VerbCall *call, const EachJail *each, Error *err);
