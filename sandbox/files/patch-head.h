#pragma once
/*
 * patch-head: the lines of a patch, and the header of one file in it.
 */
#include "sandbox/files/patch-read.h"

typedef struct PatchCursor {
        const char *line; /* the current line; at end: there is none left */
        const char *end;
        size_t n;        /* bytes of the line, without its newline */
        unsigned number; /* of the line, from 1 */
        Report *report;  /* borrowed */
} PatchCursor;

/** patch_line_go() - make the line that begins at @at the current one; it lies behind the current one */
void patch_line_go(PatchCursor *cursor, const char *at);
/** patch_line_next() - go on by one line */
void patch_line_next(PatchCursor *cursor);
/** patch_line_has() - does the current line begin with this text */
bool patch_line_has(const PatchCursor *cursor, const char *text);

/** patch_head_refuse() - refuse the patch because of the current line. Returns: -EBADMSG */
int patch_head_refuse(const PatchCursor *cursor, RecordRule rule, const char *what);

/**
 * patch_head_read() - read a file's header, from its "diff --git" line on
 * @file: empty; its paths, modes and ids are set
 *
 * The cursor then stands at the first line behind the header.
 *
 * Returns: 0 or negative errno.
 */
int patch_head_read(PatchCursor *cursor, PatchFile *file, Error *err);
