#pragma once
/*
 * block-device: which disk a directory's bytes come from, as cgroups name it.
 */
#include "base/error.h"

#define BLOCK_DEVICE_MAX 32

/**
 * block_device_of() - "major:minor" of the whole disk below a directory's file system
 * @fd:   directory, borrowed
 * @text: room for BLOCK_DEVICE_MAX
 *
 * Of a partition it is the disk that holds it: io.max takes nothing smaller.
 *
 * Returns: 0, or -ENOTSUP where the file system has no device of its own (overlay, tmpfs, btrfs, NFS).
 * Source:  cgroup v2 guide, io.max; sysfs /sys/dev/block.
 */
int block_device_of(int fd, char *text, Error *err);
