#pragma once
/*
 * land: puts entries into a new layer. All that may not lie in a layer was taken away by the caller; here
 * it is held that each entry stays in the tree, goes through no link, replaces only what it may replace,
 * and that limits hold. What landed is kept in a table, from which the layer's digest is made at the end.
 *
 * A directory gets its mode and its time at the end, when nothing is put into it any more.
 *
 * Syscalls: openat2 mkdirat symlinkat linkat mknodat unlinkat fchownat fchmod fchown utimensat fsetxattr
 *           pwrite64 write ftruncate syncfs
 */
#include "base/error.h"
#include "sandbox/files/dirs.h"
#include "sandbox/files/entry.h"
#include "sandbox/files/hasher.h"
#include "sandbox/files/report.h"
#include "sandbox/files/room.h"

#define LAND_ID_MAX    65531u /* the highest id that a command of a jail may have */
#define LAND_ID_NOBODY 65534u
#define LAND_TIME_MAX  4294967295ll

typedef struct LandLimits {
        uint64_t bytes;   /* of all files, holes counted as if they were there, and attributes */
        uint64_t entries; /* paths; directories that only other names imply are counted too */
        uint64_t disk;    /* bytes and LAYER_ENTRY_BYTES an entry; 0: as much as the others allow */
} LandLimits;

typedef struct Land {
        int root;       /* borrowed */
        Report *report; /* borrowed */
        LandLimits limits;
        uint32_t owner;    /* of directories that only other names imply … */
        uint16_t dir_mode; /* … and their mode; 0: 0755 */
        Table *table;      /* owned */
        Hasher *hasher;    /* owned */
        Dirs dirs;
        Room room;        /* of the file system, before anything landed */
        uint64_t bytes;   /* of all files and attributes */
        uint64_t written; /* of bytes: those that are no hole */
        int file;         /* owned: the file that is being written */
        Entry *entry;     /* borrowed from the table: likewise */
        uint64_t at;      /* where its next byte goes */
        uint64_t end;     /* behind the last byte that was written; holes come after it */
} Land;

typedef struct LandXattr {
        const char *name;
        const void *value;
        size_t size;
} LandXattr;

/** land_init() - into the empty directory @root. Returns: 0 or negative errno */
int land_init(Land *land, int root, const LandLimits *limits, Report *report);
/** land_deinit() - release what it holds; what landed stays */
void land_deinit(Land *land);

/** land_clean_meta() - bring ids and time into their ranges, with a note for an id; set-id bits fall silently */
int land_clean_meta(Land *land, const char *path, EntryMeta *meta);

/** land_dir() - a directory; one that is there takes the new mode, owner and time. Returns: 0 or negative errno */
int land_dir(Land *land, const char *path, const EntryMeta *meta, Error *err);

/** land_file() - a file begins: land_data() any number of times, then land_file_end() */
int land_file(Land *land, const char *path, const EntryMeta *meta, Error *err);
/** land_data() - bytes at @offset, which never goes back; what is passed over, or all zeroes, is a hole */
int land_data(Land *land, uint64_t offset, const void *bytes, size_t n, Error *err);
/** land_file_end() - @meta->size bytes long now; time and owner are set, the file is closed */
int land_file_end(Land *land, Error *err);

/** land_link() - a symbolic link with any target */
int land_link(Land *land, const char *path, const char *target, const EntryMeta *meta, Error *err);
/** land_hard_link() - @path becomes another name of the file or link at @target (clean), which has landed */
int land_hard_link(Land *land, const char *path, const char *target, Error *err);
/** land_whiteout() - the mark of an overlay that a lower layer's name is gone */
int land_whiteout(Land *land, const char *path, const EntryMeta *meta, Error *err);

/** land_opaque() - the directory that landed last hides what lower layers have in its place */
int land_opaque(Land *land, const char *path, Error *err);

/** land_xattr() - an attribute of the open file, or of the directory that landed last; a note where it cannot be */
int land_xattr(Land *land, const char *path, const LandXattr *xattr, Error *err);
