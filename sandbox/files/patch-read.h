#pragma once
/*
 * patch-read: a patch in git's form, strictly read: every file has a "diff --git" line, every line of a
 * header is known, names agree wherever they stand, are clean, lead nowhere else and never into ".git", and
 * modes are those of a file, an executable file or a link. Text around the files (a mail's head, a
 * signature) is passed over, as git does, unless git would take it for a change.
 */
#include "sandbox/files/blob-id.h"
#include "sandbox/files/hunks.h"
#include "sandbox/files/report.h"

#define PATCH_TEXT_MAX  (256u << 20)
#define PATCH_FILES_MAX 100000u

typedef struct PatchFile {
        char *old_path;    /* owned, clean; NULL: the file is new */
        char *new_path;    /* owned, clean; NULL: the file is deleted */
        unsigned old_mode; /* PATCH_MODE_*, 0: the patch does not say */
        unsigned new_mode;
        bool copy;                     /* the old path stays as it is */
        bool binary;                   /* body is a binary piece, else hunks */
        unsigned without;              /* number of a hunk that is left out; 0: none */
        HunkBytes body;                /* borrowed from the patch's text */
        char old_id[BLOB_ID_TEXT_MAX]; /* in full, or "" */
        char new_id[BLOB_ID_TEXT_MAX];
} PatchFile;

typedef struct Patch {
        char *text; /* owned */
        size_t n;
        PatchFile *files; /* owned */
        unsigned n_files;
} Patch;

#define PATCH_EMPTY ((Patch){ 0 })

/** patch_deinit() - release it */
void patch_deinit(Patch *patch);

#define PATCH_AT_HERE UINT64_MAX

/**
 * patch_read() - read @fd to its end and take it apart
 * @at: byte to begin at, where the file's own position is left alone; PATCH_AT_HERE: begin where it stands
 *
 * Returns: 0 or negative errno (refused: with the line's number).
 */
int patch_read(int fd, uint64_t at, Patch *patch, Report *report, Error *err);

/** patch_keep() - forget all files but those that @stays says, which keep their order */
void patch_keep(Patch *patch, bool (*stays)(const PatchFile *file, const void *userdata),
                const void *userdata);

/** patch_file_changes_head() - does it change more than lines: the name, the mode, whether it is there */
bool patch_file_changes_head(const PatchFile *file);

/** patch_parse() - take @patch->text apart. Returns: as patch_read() */
int patch_parse(Patch *patch, Report *report, Error *err);
