#pragma once
/*
 * inflate: one zlib stream of a known size. The work is libarchive's: without their frames a zlib stream and a
 * gzip file are the same, and libarchive reads the latter and ends where its input ends.
 */
#include <stddef.h>
#include <stdint.h>

/**
 * inflate_zlib() - unpack a whole stream
 * @size:      how many bytes it has to hold
 * @ret_bytes: fresh memory (free()), @size bytes and a 0
 *
 * Returns: 0, -EBADMSG where it is damaged or holds another number of bytes, -ENOMEM.
 */
int inflate_zlib(const char *packed, size_t n, uint64_t size, char **ret_bytes);
