#pragma once
/*
 * disk: the disk of a workspace: an image of an ext4 file system in a file of root's, as sparse as what is in
 * it, whose size is the most that the workspace can hold. ARCHITECTURE.md has the whole life of one.
 */
#include <stdint.h>

#include "base/error.h"
#include "sandbox/plan.h"

#define DISK_NAME_SIZE 24
#define DISK_IDS       65536u /* in the image: id 0 of the jail, and 65,535 more */

typedef struct DiskSpec {
        uint64_t disk;  /* its number, never 0 */
        uint64_t bytes; /* a multiple of 4096 */
        uint32_t maker; /* host id that mke2fs runs as: nobody else's */
} DiskSpec;

/** disk_name() - the file's name: 16 hex digits and ".img", into @name of DISK_NAME_SIZE. Returns: @name */
const char *disk_name(uint64_t disk, char *name);

/** disk_check() - may a disk be like this. Returns: 0 or -EINVAL */
int disk_check(const DiskSpec *spec, Error *err);

/**
 * disk_make() - make the image and its file system; for a child of its own: waits for mke2fs
 * @dir: directory of the disks
 *
 * The file has no name until it is complete and flushed: what is killed leaves nothing.
 *
 * Returns: 0; -EEXIST: the number is taken; -ENOPKG: no mke2fs; -EOPNOTSUPP: this file system has no files
 *          without a name; -ENOSPC; -EIO: mke2fs failed; other negative errno.
 * Source:  mke2fs(8); open(2), O_TMPFILE.
 */
int disk_make(int dir, const DiskSpec *spec);

/** disk_open() - the image, read-write. Returns: descriptor owned by the caller, or negative errno */
int disk_open(int dir, uint64_t disk, Error *err);

/**
 * disk_check_free() - has nothing this disk, so that its room is free when its name goes
 *
 * Who has a file of it open keeps the device, and with it all that is on it, name or none.
 *
 * Returns: 0, also where there is none; or -EBUSY.
 */
int disk_check_free(int dir, uint64_t disk, Error *err);

/** disk_used() - bytes that the image takes of its file system. Returns: 0 or negative errno */
int disk_used(int dir, uint64_t disk, uint64_t *ret, Error *err);

/**
 * disk_spare_take() - give free what is set aside on a mounted disk, so that a jail can be made on a full one
 * @root: directory of the disk's root; negative: there is none
 *
 * An overlay needs some inodes and blocks for a moment when it is mounted: on a disk that a jail has filled there
 * are none, and nobody could start it to delete something.
 */
void disk_spare_take(int root);

/** disk_spare_put() - set them aside again, as far as there is room: before the first command */
void disk_spare_put(int root);

/**
 * disk_refused() - why the kernel does not mount the file system of @image
 * @r: what mount_disk() said, and @err too
 *
 * Damaged is what the kernel calls so, and what is no ext4 any more, or was cut. What else it does not take (a feature that mke2fs knows
 * and this kernel does not, say) is told as that.
 *
 * Returns: negative errno: -EUCLEAN where it is damaged
 */
int disk_refused(int image, int r, Error *err);

/**
 * disk_attach() - a block device that is this image
 * @image: of disk_open(); the device keeps that very open file, and with it a lock on it
 * @dev:   the host's /dev
 *
 * So one device at most has an image, whoever asks for how many, and the lock is there exactly as long as the
 * device: until the last mount of it has gone, and whatever had that open. Waits some seconds for an earlier one.
 *
 * Returns: descriptor owned by the caller; the device goes with the last mount and descriptor. -EBUSY: the image
 *          is in use; other negative errno with the missing thing.
 * Source:  flock(2): of the open file description; loop(4), LOOP_CONFIGURE, LO_FLAGS_AUTOCLEAR; Linux >= 5.8.
 */
int disk_attach(int image, int dev, Error *err);
