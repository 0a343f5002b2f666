#pragma once
/*
 * change: what a patch does, as warder-files says it: asked of the supervisor, and taken in as names, modes
 * and bytes. Here a patch is never parsed.
 */
#include "cli/link.h"

#define CHANGE_ITEMS_MAX 20000u

typedef enum ChangeKind { CHANGE_ADDED = 1, CHANGE_MODIFIED, CHANGE_DELETED } ChangeKind;

typedef struct Change {
        char *path; /* owned; bytes as they are, without a 0 */
        ChangeKind kind;
        uint32_t mode; /* 0100644, 0100755, 0120000; 0: nothing is said, or it goes away */
        uint64_t at;   /* of its bytes in the answer */
        uint64_t n;
} Change;

typedef struct Changes {
        Change *items; /* owned */
        unsigned n;
        int fd; /* owned: the answer that holds the bytes */
} Changes;

#define CHANGES_EMPTY ((Changes){ .fd = -EBADF })

/** changes_deinit() - release it */
void changes_deinit(Changes *changes);

/**
 * changes_ask() - patch.read
 * @fd:   the patch, or with @base the archive of it and its files; borrowed, at its start
 *
 * Returns: 0; LINK_E_REFUSED with a sentence (the patch is damaged, or does not fit); negative errno.
 */
int changes_ask(Link *link, int fd, bool base, Changes *ret, Error *err);

/** changes_read() - take @fd (owned by @ret afterwards) apart; every byte may be hostile. Returns: 0 or -EPROTO */
int changes_read(int fd, Changes *ret, Error *err);

/** changes_find() - by path; NULL where it is not there */
const Change *changes_find(const Changes *changes, const char *path);
