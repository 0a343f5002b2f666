#pragma once
/*
 * landing: one directory of a tree in which changes are made ready, and from which they are put in place by
 * rename alone; each step leaves a note by which it is taken back. Runs in a child of as_user_call().
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/error.h"

#define LANDING_NAME_MAX 48

typedef enum LandingUndo {
        UNDO_EXCHANGE, /* the old file lies in the landing under the step's name: change them again */
        UNDO_PLACED,   /* the file was not there: it goes back into the landing */
        UNDO_TAKEN,    /* the file was taken away: it comes back */
        UNDO_DIR_MADE,
        UNDO_DIR_TAKEN,
} LandingUndo;

typedef struct LandingNote {
        LandingUndo undo;
        const char *path; /* borrowed, or owned where own is set */
        char *own;
        unsigned number; /* of the file in the landing */
        mode_t mode;     /* of a directory that was taken away */
} LandingNote;

typedef struct Landing {
        int top; /* borrowed: the tree */
        int dir; /* owned */
        char name[LANDING_NAME_MAX];
        LandingNote *notes; /* owned */
        unsigned n, room;
        unsigned n_files; /* numbers given out */
} Landing;

#define LANDING_EMPTY ((Landing){ .top = -EBADF, .dir = -EBADF })

/** landing_old() - one that an apply left which was killed, its name into @ret_name. Returns: is there one */
bool landing_old(int top, char ret_name[static LANDING_NAME_MAX]);

/** landing_open() - make the directory in the tree @top. Returns: 0 or negative errno */
int landing_open(Landing *landing, int top, Error *err);

/** landing_file() - make a file ready. @mode: as open(2). Returns: a descriptor to write to, owned by the caller; negative errno */
int landing_file(Landing *landing, mode_t mode, unsigned *ret_number, Error *err);

/** landing_link() - make a link ready. Returns: 0 or negative errno */
int landing_link(Landing *landing, const char *target, unsigned *ret_number, Error *err);

/**
 * landing_exchange() - file @number and what lies at @path change places
 * @old: what must lie there; another file, or one that changed meanwhile, is put back
 *
 * Returns: 0, or negative errno with a sentence.
 */
int landing_exchange(Landing *landing, unsigned number, const char *path, const struct stat *old,
                     Error *err);

/** landing_place() - file @number goes to @path, where nothing is; its directories are made. Returns: 0 or negative errno */
int landing_place(Landing *landing, unsigned number, const char *path, Error *err);

/** landing_take() - what lies at @path goes away; @old as in landing_exchange(). Returns: 0 or negative errno */
int landing_take(Landing *landing, const char *path, const struct stat *old, Error *err);

/** landing_take_dirs() - empty directories from the one that holds @path up to @stop (NULL: the tree) go away */
void landing_take_dirs(Landing *landing, const char *path, const char *stop);

/** landing_back() - take all back, the last step first. Returns: 0, or negative errno with what could not be */
int landing_back(Landing *landing, Error *err);

/** landing_close() - remove the directory with what is left in it; @keep: leave it there */
void landing_close(Landing *landing, bool keep);

/** landing_stat() - lstat of @path beneath @top, through no link. Returns: 0 or negative errno (-ELOOP: a link on the way) */
int landing_stat(int top, const char *path, struct stat *ret);

/** landing_same() - is it the same file, unchanged: type, mode, device, number, size and time of change of its content */
bool landing_same(const struct stat *a, const struct stat *b);
