#pragma once
/*
 * entry: what landed at one path, the table of all of them, and the manifest whose SHA-256 names a layer.
 *
 * The manifest is the normal form of a layer: one line for each path, in the bytewise order of the paths
 * (a directory's path ends in a slash, so that the order is that of a sorted walk). It does not depend on
 * the order, the compression or the format of the archive, and it can be made again from the tree. A line:
 *
 *     KIND MODE UID GID SECONDS.NANOSECONDS SIZE PATH NUL DIGEST
 *
 * KIND is d, f, l (symbolic link), w (overlay whiteout) or o (directory that hides what is below it);
 * MODE is octal, without type; DIGEST is 32 raw bytes: SHA-256 of the content or of the link's target;
 * of a file above 64 KiB, SHA-256 over the SHA-256 values of its pieces of 64 KiB; zeroes for d, o and w; and
 * where there are extended attributes SHA-256 over that value and them. Access
 * and change times and link counts are no part of it: names of one file count as files of one content.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/owned.h"

typedef enum EntryKind {
        ENTRY_DIR = 'd',
        ENTRY_FILE = 'f',
        ENTRY_LINK = 'l',
        ENTRY_WHITEOUT = 'w',
} EntryKind;

typedef enum EntryFlags {
        ENTRY_IMPLICIT = 1, /* a directory that no entry named: 0755, of root, at time 0 */
        ENTRY_OPAQUE = 2,
        ENTRY_XATTRS = 4,
} EntryFlags;

typedef struct EntryMeta {
        uint64_t size;
        int64_t sec;
        uint32_t nsec;
        uint32_t uid;
        uint32_t gid;
        uint16_t mode; /* permission bits and the sticky bit */
        uint8_t kind;  /* EntryKind */
        uint8_t flags;
} EntryMeta;

typedef struct Entry {
        struct Entry *next;       /* of the same hash value */
        const struct Entry *same; /* a hard link: the entry whose content this is; borrowed */
        EntryMeta meta;
        uint8_t digest[DIGEST_SIZE]; /* of the content or the target */
        uint8_t xattrs[DIGEST_SIZE]; /* of the attributes, chained in the order of their names */
        char path[];                 /* clean, terminated; "" is the root */
} Entry;

typedef struct Table Table;

/** table_new() - an empty table for at most @max_entries. Returns: 0, -ENOMEM, -EIO (no random bytes) */
int table_new(uint64_t max_entries, Table **ret_table);
/** table_free() - release it and its entries, NULL is fine. Returns: NULL */
Table *table_free(Table *table);
DEFINE_SCOPED(Table *, table_free);
/** table_find() - the entry of a clean path, borrowed; NULL where there is none */
Entry *table_find(const Table *table, const char *path);
/** table_add() - a new entry, digest zero; borrowed. Returns: 0, -E2BIG above the maximum, -ENOMEM */
int table_add(Table *table, const char *path, const EntryMeta *meta, Entry **ret_entry);
/** table_replace() - a new entry in @old's place; @old stays readable but is found no more. Returns: as table_add() */
int table_replace(Table *table, const Entry *old, const EntryMeta *meta, Entry **ret_entry);
/** table_count() - how many entries there are */
uint64_t table_count(const Table *table);
/** table_sorted() - all entries in the order of the manifest; the array is the caller's (free()). Returns: 0 or -ENOMEM */
int table_sorted(const Table *table, Entry ***ret_entries);

/** entry_add_xattr() - chain one attribute; those of an entry come in the order of their names. Returns: 0 or -ENOMEM */
int entry_add_xattr(Entry *entry, const char *name, const void *value, size_t size);

/** manifest_add() - hash the line of one entry */
void manifest_add(Digest *digest, const Entry *entry);
