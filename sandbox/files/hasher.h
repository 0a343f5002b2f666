#pragma once
/*
 * hasher: SHA-256 of many files beside the work that reads or writes them. A file's bytes are handed over
 * in order; worker threads hash them, and the caller itself where the workers have enough to do.
 *
 * Theory of operation. The caller copies pieces of files, of at most HASHER_PIECE bytes, into a block. A full
 * block goes into a queue, from which workers take it; all pieces of a block are hashed together (lanes.h).
 * Pieces do not depend on each other, so no order has to be kept. A caller that finds no free block hashes
 * one from the queue; without a second processor that is all there is. Values may be read only after
 * hasher_finish(), where those of larger files are put together.
 *
 * Syscalls: clone3 clone futex mmap munmap mprotect madvise rseq set_robust_list sched_getaffinity
 */
#include <stddef.h>
#include <stdint.h>

#include "base/owned.h"

#define HASHER_WORKERS_MAX 3
#define HASHER_PIECE       65536u

typedef enum HasherForm {
        HASHER_PLAIN, /* SHA-256 of the content */
        HASHER_PIECES, /* of up to HASHER_PIECE bytes likewise; of more, SHA-256 over those of its pieces */
} HasherForm;

typedef struct Hasher Hasher;

/** hasher_new() - start; @workers above HASHER_WORKERS_MAX are not started. Returns: 0 or negative errno */
int hasher_new(unsigned workers, Hasher **ret_hasher);
/** hasher_workers() - how many workers this machine has room for */
unsigned hasher_workers(void);
/** hasher_free() - end the workers; what was not finished is lost. NULL is fine. Returns: NULL */
Hasher *hasher_free(Hasher *hasher);
DEFINE_SCOPED(Hasher *, hasher_free);

/**
 * hasher_begin() - a file begins
 * @size:      the bytes that will come; what comes beyond them is left out
 * @ret_value: 32 bytes that must stay until hasher_finish()
 *
 * Returns: 0 or -ENOMEM.
 */
int hasher_begin(Hasher *hasher, HasherForm form, uint64_t size, uint8_t *ret_value);
/** hasher_add() - @n bytes more of it; they are copied */
void hasher_add(Hasher *hasher, const void *bytes, size_t n);
/** hasher_add_zeroes() - a hole of @n bytes */
void hasher_add_zeroes(Hasher *hasher, uint64_t n);
/** hasher_end() - the file ends */
void hasher_end(Hasher *hasher);
/** hasher_finish() - wait until every value is in its place */
void hasher_finish(Hasher *hasher);
