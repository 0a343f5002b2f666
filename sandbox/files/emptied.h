#pragma once
/*
 * emptied: does nothing of a directory stay, so that a file can take its place. The tree is a jail's: commands in it
 * decided how deep and how wide it is.
 */
#include "sandbox/files/entry.h"

/**
 * emptied_is() - is there nothing in a directory but directories, and files that go away
 * @tree: root of the tree, borrowed
 * @dir:  path beneath it
 * @gone: paths that go away
 *
 * What lies deeper than a path may be (NAME_DEPTH_MAX) stays: nobody could name it to take it away.
 *
 * Returns: 1, 0, negative errno.
 */
int emptied_is(int tree, const char *dir, const Table *gone);
