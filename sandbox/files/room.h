#pragma once
/*
 * room: what a file system may still take from an archive. The store shares its file system with others, who
 * must not find it full because somebody imports a bomb.
 *
 * Syscalls: fstatfs
 */
#include <stdint.h>

#define ROOM_KEPT_BYTES  (1ull << 30) /* left free, or a twentieth of a smaller file system */
#define ROOM_KEPT_INODES 10000ull     /* likewise */

typedef struct Room {
        uint64_t bytes;
        uint64_t inodes; /* UINT64_MAX: the file system makes them as it needs them */
} Room;

/** room_of() - of the file system that @fd lies on. Returns: 0 or negative errno */
int room_of(int fd, Room *ret_room);
