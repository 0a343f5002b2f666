/* room: see room.h. */
#include "sandbox/files/room.h"

#include <errno.h>
#include <sys/statvfs.h>

/* What is left of @left when some of @all stays free. */
static uint64_t but_for(uint64_t left, uint64_t all, uint64_t kept) {
        if (kept > all / 20)
                kept = all / 20;
        return left > kept ? left - kept : 0;
}

int room_of(int fd, Room *ret_room) {
        struct statvfs st;
        uint64_t all, left;

        if (fstatvfs(fd, &st) < 0)
                return -errno;
        if (__builtin_mul_overflow(st.f_blocks, st.f_frsize, &all) ||
            __builtin_mul_overflow(st.f_bavail, st.f_frsize, &left))
                all = left = UINT64_MAX;
        ret_room->bytes = but_for(left, all, ROOM_KEPT_BYTES);
        ret_room->inodes =
                st.f_files == 0 ? UINT64_MAX : but_for(st.f_favail, st.f_files, ROOM_KEPT_INODES);
        return 0;
}
