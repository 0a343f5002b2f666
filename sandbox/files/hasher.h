#pragma once
/*
 * hasher: SHA-256 of many files beside the work that reads or writes them. A file's bytes are handed over
 * in order; a worker thread hashes them, or the caller itself where the workers have enough to do. Without
 * a second processor there is no worker and all is done in place.
 *
 * Theory of operation. Each worker owns a ring of blocks. The caller fills the block at the ring's end
 * with pieces of files, one after another, and passes it on when it is full or when hasher_finish() is
 * called. A file belongs to one worker from its first byte to its last, so that no order has to be kept
 * between workers. A value is written to its place by the worker when it meets the file's end: it may be
 * read only after hasher_finish().
 *
 * Syscalls: clone3 clone futex mmap munmap mprotect madvise rseq set_robust_list sched_getaffinity
 */
#include <stddef.h>
#include <stdint.h>

#include "base/owned.h"

#define HASHER_WORKERS_MAX 3

typedef struct Hasher Hasher;

/** hasher_new() - start; @workers above HASHER_WORKERS_MAX are not started. Returns: 0 or negative errno */
int hasher_new(unsigned workers, Hasher **ret_hasher);
/** hasher_workers() - how many workers this machine has room for */
unsigned hasher_workers(void);
/** hasher_free() - end the workers; what was not finished is lost. NULL is fine. Returns: NULL */
Hasher *hasher_free(Hasher *hasher);
DEFINE_SCOPED(Hasher *, hasher_free);

/** hasher_begin() - a file begins; @ret_value (32 bytes) must stay until hasher_finish() */
void hasher_begin(Hasher *hasher, uint8_t *ret_value);
/** hasher_add() - @n bytes more of it; they are copied */
void hasher_add(Hasher *hasher, const void *bytes, size_t n);
/** hasher_add_zeroes() - a hole of @n bytes */
void hasher_add_zeroes(Hasher *hasher, uint64_t n);
/** hasher_end() - the file ends */
void hasher_end(Hasher *hasher);
/** hasher_finish() - wait until every value is in its place */
void hasher_finish(Hasher *hasher);
