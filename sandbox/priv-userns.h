#pragma once
/*
 * priv-userns: user namespaces that map ids: of a jail, and of a mount that a jail sees.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

typedef struct IdMap { /* inside … + count is outside … + count */
        uint32_t inside_uid;
        uint32_t inside_gid;
        uint32_t outside_uid;
        uint32_t outside_gid;
        uint32_t count;
        /* host id that the namespace is made as. What its processes use up of the kernel (inotify
         * instances, pending signals, message queues, locked memory) is charged to that id as well, and
         * where it is root's, one jail takes it from all others and from the host: one of the jail's own */
        uint32_t owner;
        bool root; /* id 0 is 0 as well: for a mount on which the host's root makes files, too */
} IdMap;

/**
 * userns_new() - a user namespace with this map and no process in it
 * @proc: directory of a proc in which this process sees its children, borrowed
 *
 * A child of a child makes it, in the caller's memory, and has ended before it is mapped.
 *
 * Returns: descriptor owned by the caller, or negative errno.
 * Source:  user_namespaces(7); the namespace lives as long as the descriptor.
 */
int userns_new(int proc, const IdMap *map, Error *err);
