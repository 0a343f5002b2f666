#pragma once
/*
 * patch-show: a patch for people: which files, how many lines, and the patch itself where it is short.
 */
#include <stdio.h>

/** patch_show() - a line a file on @to, then all of it where it has few lines; @fd is read from its start */
void patch_show(FILE *to, int fd);

/** patch_write() - the patch on stdout: as it is, or escaped where stdout is a terminal. Returns: 0 or negative errno */
int patch_write(int fd);
