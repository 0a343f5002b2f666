#pragma once
/*
 * save-xattrs: the extended attributes of one object of a raw upper: the overlay's own marks, and the rest.
 */
#include "sandbox/files/land.h"

typedef struct SaveMarks {
        bool whiteout;
        bool opaque;
        bool redirect; /* it stands for another object: redirect or metacopy */
} SaveMarks;

/** save_marks() - what the overlay noted on an object that is open for reading. Returns: 0 or negative errno */
int save_marks(int fd, SaveMarks *ret_marks);

/** save_xattrs() - land what may land of @fd's attributes on the object that landed last. Returns: 0 or negative errno */
int save_xattrs(Land *land, int fd, const char *path, Error *err);
