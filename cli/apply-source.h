#pragma once
/*
 * apply-source: where the patch of "warder apply" comes from, and the verdict that belongs to it.
 */
#include "base/json.h"
#include "base/options.h"
#include "base/sha256.h"
#include "cli/link.h"

typedef struct ApplySource { /* all owned */
        char *bytes;
        size_t n;
        cJSON *verdict; /* NULL: there is none */
        char digest[SHA256_TEXT_MAX];
        char what[300]; /* "task t-…", "fix.patch": for sentences */
        bool from_file; /* the verdict is a file's word, not the supervisor's */
        bool is_dir;    /* that --out wrote */
        bool is_signed; /* a receipt beside it, signed by a known key, says the same */
} ApplySource;

typedef struct ApplyNames {
        const char *word;    /* a task's id, or a directory of --out; NULL: none */
        const char *patch;   /* a file, "-" */
        const char *verdict; /* a file; NULL: none */
        OptionList
                keys; /* that may have signed the receipt; none: those of this host's supervisors */
} ApplyNames;

/**
 * apply_source_load() - fetch patch and verdict, and see that they belong together
 *
 * Of a directory of --out the receipt is looked at as well: one that was changed, or that tells of another patch or
 * verdict, is refused; one signed by a key that is not known here counts for nothing, unless keys were given.
 *
 * Returns: 0, -EKEYREJECTED where the patch is not the one that was judged, another negative errno.
 */
int apply_source_load(const ApplyNames *names, Link *link, ApplySource *ret, Error *err);

/** apply_source_deinit() - release it */
void apply_source_deinit(ApplySource *source);

/** apply_source_check() - is it verified. Returns: 0, or -EKEYREJECTED with a sentence that says what it is */
int apply_source_check(const ApplySource *source, Error *err);
