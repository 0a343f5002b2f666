#pragma once
/*
 * xattr-names: which extended attributes an object has, in the one order in which they are read and hashed.
 *
 * Syscalls: flistxattr
 */

/**
 * xattr_names() - those of an open file or directory
 * @fd:        borrowed
 * @ret_names: one allocation for free(): the names, in the order of their bytes; untouched where there are none
 *
 * Returns: how many; 0 too where the file system has no attributes; -E2BIG: more than the kernel lists; negative errno.
 */
int xattr_names(int fd, const char ***ret_names);
