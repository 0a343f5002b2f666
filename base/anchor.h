#pragma once
/*
 * anchor: one line of the host's list of heads (warder-receipt(5)): number, time, subject, lines, head,
 * signature, with one blank between.
 */
#include "base/statement.h"

#define ANCHOR_LINE_MAX 320 /* with "\n" and NUL */

typedef struct Anchor {
        uint64_t number; /* of the signature, from 1 */
        uint64_t lines;  /* of the receipt that the head binds; not 0 */
        char subject[ID_MAX];
        char head[DIGEST_TEXT_MAX];
} Anchor;

/**
 * anchor_format() - the line with its "\n"
 * @signature: SIGNATURE_SIZE bytes
 * @line:      room for ANCHOR_LINE_MAX
 *
 * Returns: its bytes, or -ENOBUFS.
 */
int anchor_format(const Statement *statement, const uint8_t *signature, char *line);

/**
 * anchor_parse() - a whole line and nothing else, without its "\n"
 *
 * What a full disk or a crash left of a line is none.
 *
 * Returns: 0 or -EINVAL.
 */
int anchor_parse(const char *line, size_t n, Anchor *ret);
