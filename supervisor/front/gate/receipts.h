#pragma once
/*
 * receipts: for each task and each verify a chain of lines in the ledger (warder-receipt(5)): what was asked,
 * every command with its cause, every verdict, every limit, the end. Each line names the SHA-256 of the one
 * before it; at each verdict and at the end the notary signs the last one's.
 *
 * A line is one row: it is in the ledger whole, with its link, or not at all, whenever the front dies.
 */
#include "base/statement.h"
#include "supervisor/front/ledger.h"

#define RECEIPT_FORM      "receipt/1"
#define RECEIPT_LINES_MAX 20000u
#define RECEIPT_VERIFIES_MAX \
        1000u /* ended ones of each user that are kept; of tasks: with the task */

typedef struct Receipt { /* one that is being written */
        Statement facts; /* subject, lines, head; digests and verdict as they came to be known */
        uint32_t owner;  /* uid */
        bool is_broken;  /* a line could not be written: nothing is added any more */
        bool has_ended;
} Receipt;

/** receipt_begin() - the first line; @data is consumed. Returns: 0 or negative errno */
int receipt_begin(Front *front, Receipt *receipt, const char *subject, uint32_t owner, cJSON *data);
/** receipt_add() - a line; @data is consumed. Returns: 0, or negative errno, which is logged: the receipt is broken */
int receipt_add(Front *front, Receipt *receipt, const char *kind, cJSON *data);
/** receipt_verdict() - the line of a verdict/1 object, on disk when this returns; then it is signed. Returns: likewise */
int receipt_verdict(Front *front, Receipt *receipt, const cJSON *verdict);
/** receipt_end() - the last line, likewise; @state: a word. One that never began, or has ended: nothing */
void receipt_end(Front *front, Receipt *receipt, const char *state, cJSON *data);
/** receipt_end_within() - the last line, in a transaction of the caller's, who signs it then. Returns: was it written */
bool receipt_end_within(Front *front, Receipt *receipt, const char *state, cJSON *data);
/** receipt_sign_end() - that transaction is on disk */
void receipt_sign_end(Front *front, const Receipt *receipt, const char *state);
/**
 * receipt_close() - the line of a verdict and the last one together, on disk when this returns; then both are signed
 * @state: a word
 *
 * Returns: 0, or negative errno, which is logged: neither is there, and the receipt is broken.
 */
int receipt_close(Front *front, Receipt *receipt, const cJSON *verdict, const char *state);
/** receipts_prune() - of a user's ended receipts of verifies keep the newest RECEIPT_VERIFIES_MAX */
void receipts_prune(Front *front, uint32_t owner);
/** receipt_is_full() - may no command follow, so that there is room for the end */
bool receipt_is_full(const Receipt *receipt);

/** receipt_name_digest() - member @name of @json as "sha256:…" of a text */
void receipt_name_digest(cJSON *json, const char *name, const void *bytes, size_t n);

typedef struct ReceiptText {
        int fd;            /* owned by the caller: a sealed memfd of lines */
        uint64_t lines;    /* of the chain */
        uint64_t n_signed; /* lines that the last signature covers */
        uint64_t signatures;
        bool has_ended;
} ReceiptText;

/** receipt_text() - what there is of one. Returns: 0, -ENOENT with a sentence, another errno */
int receipt_text(Front *front, const char *subject, ReceiptText *ret, Error *err);
/** receipt_owner() - who has it. Returns: 0, -ENOENT with a sentence */
int receipt_owner(Front *front, const char *subject, uint32_t *ret_owner, Error *err);

/** receipt_reopen() - go on with one that a front before this, or its end, left */
void receipt_reopen(Front *front, Receipt *receipt, const char *subject, uint32_t owner);
/** receipts_recover() - at start: what a lost front left open, and no task that is alive goes on with, is ended, and what it could not have signed is signed */
int receipts_recover(Front *front, Error *err);
