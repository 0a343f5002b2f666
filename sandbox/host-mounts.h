#pragma once
/*
 * host-mounts: the places of the host that a host root binds, and whether they are still what a shell took.
 *
 * A shell clones them long before it is known what for. Then a package is installed on the host, ldconfig puts a new
 * file over /etc/ld.so.cache, and the clone shows a file without a name, which move_mount(2) refuses with
 * ENOENT: such a shell is of no use any more.
 */
#include <stdbool.h>
#include <stdint.h>

#define HOST_MOUNTS_MAX 8
#define HOST_MOUNTS_LINKED \
        3 /* the first: what a linked program needs to start. warder-files gets no more */

typedef struct HostMarks {
        struct {
                uint64_t device, inode; /* both 0: nothing is there */
        } places[HOST_MOUNTS_MAX];
} HostMarks;

/** host_mount_name() - "usr": the place @i, below the root; static */
const char *host_mount_name(unsigned i);

/** host_marks_take() - what stands at each place now; taken before the places are cloned */
void host_marks_take(HostMarks *ret);

/** host_marks_hold() - does the same stand there still, and nothing beside it */
bool host_marks_hold(const HostMarks *marks);
