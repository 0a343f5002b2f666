#pragma once
/*
 * check: is a receipt what was written, all of it, in this order, and signed (warder-receipt(5)).
 */
#include "cli/receipt/envelope.h"

#define CHECK_LINES_MAX 100000u

typedef struct Check {
        const Keys *keys; /* borrowed */
        char subject[16];
        uint64_t lines;                /* of the chain, so far */
        uint8_t (*heads)[DIGEST_SIZE]; /* owned; of each line */
        uint64_t n_heads;
        unsigned signatures;
        bool is_signed; /* the last line of the chain is */
        bool has_ended;
        uint64_t anchor; /* of the last signature */
        cJSON *verdict;  /* owned: data of the last verdict; NULL: none */
        char state[32];  /* of the end */
        char key[DIGEST_TEXT_MAX];
        uint64_t at; /* line of the file, from 1: where the fault is */
} Check;

/** check_init() */
void check_init(Check *check, const Keys *keys);
/** check_deinit() */
void check_deinit(Check *check);

/**
 * check_text() - all lines of a receipt
 *
 * Returns: 0; -EBADMSG with a sentence, and check->at says in which line; -ENOKEY likewise; another errno.
 */
int check_text(Check *check, char *text, size_t n, Error *err);
