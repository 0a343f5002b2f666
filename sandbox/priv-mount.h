#pragma once
/*
 * priv-mount: mounts by descriptor. A file system or a clone is made detached, given its flags, read back,
 * and attached last; no path of the old root is used after that.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

typedef struct MountOption {
        const char *key;   /* NULL ends a list */
        const char *value; /* NULL: a flag without a value */
} MountOption;

/**
 * mount_new() - a new file system, detached
 * @type:    "tmpfs", "proc", …
 * @options: ends with a NULL key
 * @attr:    MOUNT_ATTR_*, read back
 *
 * Returns: descriptor owned by the caller, or negative errno.
 * Source:  fsopen(2), fsconfig(2), fsmount(2); Linux >= 5.2.
 */
int mount_new(const char *type, const MountOption *options, unsigned attr, Error *err);

/**
 * mount_clone() - a detached, private clone of one mount from a directory or file down, not recursive
 * @dir, @path: of the caller's mount namespace; "" for @dir itself
 * @attr:       MOUNT_ATTR_*, added and read back
 * @userns:     id map, or negative
 *
 * Returns: descriptor owned by the caller, or negative errno.
 */
int mount_clone(int dir, const char *path, unsigned attr, int userns, Error *err);

/**
 * mount_clone_from() - the same of a directory of ours, or of the mount namespace @space: priv-visit.h
 *
 * Does not read the flags back: statfs(2) goes to whoever serves the file system, and a caller who serves
 * it may never answer. Who can be killed calls mount_check_flags() before the mount is used.
 */
int mount_clone_from(int space, int dir, unsigned attr, int userns, Error *err);

/** mount_check_flags() - read back that a mount has these of MOUNT_ATTR_{RDONLY,NOSUID,NODEV,NOEXEC} */
int mount_check_flags(int mount, unsigned attr, Error *err);

/**
 * mount_disk() - the file system of a workspace's disk, detached, nosuid and nodev
 * @device: the block device that disk_attach() made
 * @userns: id map, see disk.h
 *
 * After a fault of its device nothing more is written to it. What is deleted goes back to the image's host,
 * and no inode table is written that mke2fs left out: the image stays as small as what is in it.
 */
int mount_disk(int device, int userns, Error *err);

typedef struct OverlaySpec {
        const int *lowers; /* borrowed: detached mounts, topmost first */
        unsigned n_lowers;
        const char *upper; /* path below the caller's root; NULL: read-only */
        const char *work;
        const char *place; /* empty directory, for kernels that take no descriptors */
        bool user_xattr;   /* upper's file system has user.* attributes */
} OverlaySpec;

/** mount_overlay() - an overlay, detached, nosuid and nodev. Returns: descriptor or negative errno */
int mount_overlay(const OverlaySpec *spec, Error *err);

/** mount_attach() - put a mount at @path below @dir; "" for @dir itself */
int mount_attach(int mount, int dir, const char *path, Error *err);

/** mount_set_flags() - add MOUNT_ATTR_* to a mount that stands, and read them back */
int mount_set_flags(int mount, unsigned attr, Error *err);

/** mount_set_size() - size and inode limits of a mounted tmpfs */
int mount_set_size(int mount, uint64_t bytes, uint64_t inodes, Error *err);

/** mount_has_map() - can a tmpfs of this kernel be shown with the ids of @userns (Linux >= 6.3) */
bool mount_has_map(int userns);

/** mount_has_user_xattr() - does a fresh tmpfs of this kernel keep user.* attributes */
bool mount_has_user_xattr(void);
