#pragma once
/*
 * report: what warder-files says about its work, as records on one descriptor (base/record.h).
 *
 * Two ways to fail are kept apart. What the input did wrong is *refused*: report_refuse() writes
 * RECORD_REFUSED at once, and the negative errno that it returns travels up as any other. What the host
 * could not do travels up as an Error, and report_end() writes it as RECORD_FAILED.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/record.h"
#include "base/rules.h"

#define REPORT_NOTES_MAX      1000
#define REPORT_PROGRESS_BYTES (64ull << 20)
#define REPORT_PROGRESS_USEC  200000u
#define REPORT_ROOM           (4 * RECORD_MAX)

typedef struct Report {
        int fd; /* borrowed */
        char *room; /* borrowed: REPORT_ROOM bytes, for many records in one write(2); NULL: one in each */
        size_t n;          /* of them in use */
        bool refused;      /* a RECORD_REFUSED was written */
        bool cut;          /* results were left out: the reader is told by RECORD_DONE */
        const char *entry; /* borrowed: what is read now, for refusals that know no path; or NULL */
        uint64_t taken,
                passed_over; /* of "results": reports that were read, and those that are too old */
        uint64_t notes;      /* notes so far, those that were not sent included */
        uint64_t last_bytes; /* what the last progress record said */
        uint64_t last_usec;
} Report;

#define REPORT_EMPTY(FD) ((Report){ .fd = (FD) })

/**
 * report_note() - something was cleaned, and the job goes on
 * @path:   of what, relative to the tree
 * @format: a sentence
 *
 * Each note carries its running number; above REPORT_NOTES_MAX they are only counted, and
 * report_end() tells how many there were.
 *
 * Returns: 0, or negative errno where the reader is gone.
 */
int report_note(Report *report, RecordRule rule, const char *path, const char *format, ...)
        __attribute__((format(printf, 4, 5)));

/**
 * report_refuse() - the input breaks a rule that ends the job
 *
 * Returns: -EBADMSG, for the caller to return.
 */
int report_refuse(Report *report, RecordRule rule, const char *path, const char *format, ...)
        __attribute__((format(printf, 4, 5)));

/** report_progress() - how far the job is; sent only every so many bytes or microseconds */
int report_progress(Report *report, uint64_t bytes, uint64_t entries);

/** report_digest() - a SHA-256 value. Returns: 0 or negative errno */
int report_digest(Report *report, DigestOf what, const uint8_t *value);

/** report_numbers() - a record of two numbers (totals, counts). Returns: 0 or negative errno */
int report_numbers(Report *report, RecordKind kind, uint64_t a, uint64_t b);

/** report_path() - a record that names a path; @flags as its kind says, @mode in a. Returns: 0 or negative errno */
int report_path(Report *report, RecordKind kind, uint32_t flags, uint32_t mode, const char *path);

/** report_bytes() - a record with data of @n bytes. Returns: 0 or negative errno */
int report_bytes(Report *report, const RecordHead *head, const void *data, size_t n);

/**
 * report_end() - the last record: RECORD_DONE, or RECORD_FAILED where @r < 0 and nothing was refused
 *
 * Returns: 0 iff RECORD_DONE was written; else negative errno.
 */
int report_end(Report *report, int r, const Error *failure);
