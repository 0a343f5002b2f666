#pragma once
/*
 * whiteouts: what a layer of a container image takes away from the layers below it. There a file ".wh.NAME"
 * deletes NAME, and ".wh..wh..opq" hides all that lower layers have in its directory; both speak of lower
 * layers only, never of what the same archive brings, in whatever order. Here they become an overlay's marks.
 *
 * They are kept until all entries have landed, and are then held against the layers below, which lie merged
 * and read-only in one directory: what hides nothing leaves no mark. A mark that would have to go through a
 * symbolic link, in this layer or below, is refused: readers of images differ in what they make of it.
 *
 * Directories that the archive does not name, but puts something into, keep mode, owner and time of below.
 *
 * Syscalls: openat2 newfstatat
 */
#include "sandbox/files/land.h"

typedef struct Whiteouts {
        Land *land;   /* borrowed */
        int below;    /* borrowed: the layers below; -EBADF: there are none */
        Table *marks; /* owned */
} Whiteouts;

/** whiteouts_init() - no mark yet; as many as @land may have entries. Returns: 0 or negative errno */
int whiteouts_init(Whiteouts *whiteouts, Land *land, int below);
/** whiteouts_deinit() - release the marks */
void whiteouts_deinit(Whiteouts *whiteouts);

/**
 * whiteouts_take() - is the entry at @path (clean) such a mark, and if so keep it
 * Returns: 1 it is one, 0 it is a file like others, negative errno (refused: a mark that no honest image has).
 */
int whiteouts_take(Whiteouts *whiteouts, const char *path, Error *err);

/** whiteouts_land() - all entries have landed: make the marks, and the directories as below. Returns: 0 or negative errno */
int whiteouts_land(Whiteouts *whiteouts, Error *err);
