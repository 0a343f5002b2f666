#pragma once
/*
 * origin: what a working tree is, in two words: its commit, and what differs from it. "warder apply" says by
 * them whether a tree is still the one that a patch was made for and tested on.
 */
#include "base/json.h"
#include "cli/as-user.h"

#define ORIGIN_TEXT_MAX 80

typedef struct Origin {
        char commit[ORIGIN_TEXT_MAX]; /* "" where there is no commit yet */
        char changes
                [ORIGIN_TEXT_MAX]; /* "none", or a SHA-256 of what differs: paths, kinds, contents */
        bool has_changes;          /* of files that git knows; @changes speaks of new ones too */
} Origin;

/**
 * origin_read() - of the repository whose working tree is at @top
 *
 * A file that was only touched is no change: contents are compared, and the index stays as it is.
 * LIMIT: of a submodule it is only seen that it changed, not to what.
 *
 * Returns: 0 or negative errno.
 */
int origin_read(const User *user, const char *top, Origin *ret, Error *err);

/** origin_add() - into @json as "origin": {commit, changes} */
void origin_add(const Origin *origin, cJSON *json);

/**
 * origin_drift() - does the tree at @top differ from the one that @verdict is about
 * @verdict: its "commit" is that of the tests; with "changes" they ran on these, without on the commit as it is
 * @ret_why: a sentence; "" where it does not differ
 *
 * What git cannot say is no drift: the sentence is advice. What @verdict says may come from a file.
 */
void origin_drift(const User *user, const char *top, const cJSON *verdict, char ret_why[256]);
