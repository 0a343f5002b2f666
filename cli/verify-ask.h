#pragma once
/*
 * verify-ask: one question to the gate: base, patch and spec go to the supervisor, a verdict comes back.
 */
#include "base/buf.h"
#include "base/sha256.h"
#include "cli/report-write.h"
#include "cli/spec.h"

typedef struct VerifyOptions {
        Common common;
        SpecOptions spec;
        const char *base;
        const char *snapshot;
        const char *policy;
        const char *out;
        ReportOptions report;
        uint64_t memory;
        uint64_t pids;
        bool guess;
        bool write;
} VerifyOptions;

typedef struct Verifying {
        const VerifyOptions *options; /* borrowed */
        Repository repo;
        cJSON *spec; /* owned */
        int base_fd; /* owned */
        char base_name
                [SHA256_TEXT_MAX]; /* what the supervisor may know the base by; "": it has no name */
        int patch_fd;              /* owned, at its start */
        int receipt_fd;            /* owned; with --out */
        int held_fd;               /* owned: held-back tests; -EBADF: none */
        Buf events;                /* lines, for --out and reports */
        uint64_t seq;              /* of the last of them */
} Verifying;

/** verify_event() - keep a line of events.jsonl; @data is copied, NULL: {} */
void verify_event(Verifying *self, const char *name, const cJSON *data);

/**
 * verify_ask() - ask for a verdict
 * @ret_verdict: owned by the caller
 *
 * Returns: 0; EXIT_USAGE or EXIT_NOT_CARRIED_OUT with a sentence where the supervisor refused; negative errno.
 */
int verify_ask(Verifying *self, cJSON **ret_verdict, Error *err);
