#pragma once
/*
 * verbs: the jobs of warder-files as its command line names them. Each takes checked arguments, opens its
 * places, and runs the module that does the work.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/options.h"
#include "sandbox/files/report.h"

typedef struct VerbArgs {
        const char *root; /* directory that holds the fixed places */
        const char *prefix;
        uint64_t max_bytes;
        uint64_t max_entries;
        uint64_t max_disk; /* 0: none */
        uint64_t owner;    /* UINT32_MAX: as the archive says */
        OptionList protect;
        OptionList allow;
        OptionList rules;
        OptionList scope;
        bool remark;         /* apply: say what is to be said about the patch */
        const char *part;    /* apply: NULL: the whole patch */
        uint64_t without;    /* apply: number of the hunk that is left out; 0: none */
        uint64_t list_hunks; /* apply: tell of so many */
        uint64_t at; /* apply: byte that the patch begins at; UINT64_MAX: where fd 0 stands */
        OptionList reports;
        OptionList keys;
        bool wait;      /* fd 0 has nothing but its end, which says when */
        uint64_t since; /* nanoseconds since 1970: no report is older */
        bool takes_image;
        bool held;
        bool over; /* layers lie below, in /old */
        bool trim; /* save: all that lies below is in /tree */
        bool host; /* changes: what lies below is the root of this very jail */
        OptionList covered;
        bool layer;       /* pack: one of an image */
        bool measure;     /* pack: its size and digest only */
        bool tail;        /* pack: the texts of fd 0 and the end mark */
        const char *blob; /* unpack: of the image in /tree, a layer, instead of fd 0 */
        const char *digest;
        const char *diff;
        const char *packing;
        uint64_t size; /* UINT64_MAX: not known */
        uint64_t read_before;
        uint64_t grown_before;
        bool check_only;
        bool shielded; /* apply: the base's shield lies under /tree, fd 1 is its listing */
        bool names_only;
        bool setup;
        bool ignore_case;
        const char *glob;
        char **words; /* what is left after the options */
        int n_words;
} VerbArgs;

#define VERB_ARGS_DEFAULT                      \
        ((VerbArgs){ .root = "/",              \
                     .max_bytes = 16ull << 30, \
                     .max_entries = 2000000,   \
                     .size = UINT64_MAX,       \
                     .at = UINT64_MAX,         \
                     .owner = UINT32_MAX })

/** verb_unpack() - fd 0, an archive, becomes a layer in /out. Returns: 0 or negative errno */
int verb_unpack(const VerbArgs *args, Report *report, Error *err);

/** verb_check() - the digest of the layer in /old, made again. Returns: 0 or negative errno */
int verb_check(const VerbArgs *args, Report *report, Error *err);

/** verb_text() - a file of the image in /tree, as RECORD_TEXT; at most max_bytes. Returns: 0 or negative errno */
int verb_text(const VerbArgs *args, Report *report, Error *err);

/** verb_user() - who "USER[:GROUP]" is in /old, by its passwd and group, as RECORD_USER. Returns: 0 or negative errno */
int verb_user(const VerbArgs *args, Report *report, Error *err);

/** verb_results() - fd 0, what a test command printed, or the reports it wrote below /upper/work, become tests and counts. Returns: 0 or negative errno */
int verb_results(const VerbArgs *args, Report *report, Error *err);

/** verb_diff() - what /upper changes between /old and /new, below one directory, as a patch on fd 1. Returns: 0 or negative errno */
int verb_diff(const VerbArgs *args, Report *report, Error *err);

/** verb_merge() - what /upper changes between /old and /new, merged with /tree, on fd 1 (merge.h). Returns: 0 or negative errno */
int verb_merge(const VerbArgs *args, Report *report, Error *err);

/** verb_apply() - fd 0, a patch, is applied to one directory of /tree, which is /old with a writable upper. Returns: 0 or negative errno */
int verb_apply(const VerbArgs *args, Report *report, Error *err);

/** verb_shield() - of the files of one directory of /old that are protected a layer in /out, of all of them a listing on fd 1. Returns: 0 or negative errno */
int verb_shield(const VerbArgs *args, Report *report, Error *err);

/** verb_change() - fd 0, a patch and the files it touches, become names, modes and bytes on fd 1. Returns: 0 or negative errno */
int verb_change(const VerbArgs *args, Report *report, Error *err);

/** verb_save() - /upper becomes a layer in /out. Returns: 0 or negative errno */
int verb_save(const VerbArgs *args, Report *report, Error *err);

/** verb_search() - "glob PATTERN [PATH]" or "grep REGEX [PATH]" in /tree. Returns: 0 or negative errno */
int verb_search(const VerbArgs *args, Report *report, Error *err);

/** verb_key() - what setup's layer stands for in /old: the digest of the key's files, or with setup what /new, the layer, hides. Returns: 0 or negative errno */
int verb_key(const VerbArgs *args, Report *report, Error *err);
