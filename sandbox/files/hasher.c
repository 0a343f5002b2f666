/* hasher: see hasher.h. */
#include "sandbox/files/hasher.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>

#include "base/digest.h"

#define BLOCK_BYTES  (256u << 10)
#define BLOCK_PIECES 1024u
#define RING         16u /* blocks of one worker: 4 MiB */

typedef struct Piece {
        uint8_t *value; /* borrowed; not NULL: the file ends with this piece */
        uint32_t size;
} Piece;

typedef struct Block {
        Piece pieces[BLOCK_PIECES];
        unsigned n_pieces;
        uint32_t used;
        char bytes[BLOCK_BYTES];
} Block;

typedef struct Worker {
        Block *ring;    /* owned: RING blocks */
        Digest *digest; /* owned; used by the worker's thread alone */
        pthread_t thread;
        pthread_mutex_t lock;
        pthread_cond_t change;
        unsigned filled;  /* blocks passed on; guarded by lock, as the next two */
        unsigned emptied; /* blocks done */
        bool ending;
        bool started;
} Worker;

struct Hasher {
        Worker workers[HASHER_WORKERS_MAX];
        unsigned n_workers;
        Worker *current; /* of the open file; NULL: the caller hashes it */
        uint8_t *value;  /* of the open file */
        Digest *digest;  /* owned; for what the caller hashes */
};

static void hash_block(Worker *worker, const Block *block) {
        const char *at = block->bytes;
        unsigned i;

        for (i = 0; i < block->n_pieces; i++) {
                const Piece *piece = &block->pieces[i];

                if (piece->size > 0)
                        digest_add(worker->digest, at, piece->size);
                at += piece->size;
                if (piece->value)
                        digest_end(worker->digest, piece->value);
        }
}

static void *work(void *userdata) {
        Worker *worker = userdata;

        pthread_mutex_lock(&worker->lock);
        for (;;) {
                while (worker->emptied == worker->filled && !worker->ending)
                        pthread_cond_wait(&worker->change, &worker->lock);
                if (worker->ending)
                        break;
                pthread_mutex_unlock(&worker->lock);
                hash_block(worker, &worker->ring[worker->emptied % RING]);
                pthread_mutex_lock(&worker->lock);
                worker->emptied++;
                pthread_cond_broadcast(&worker->change);
        }
        pthread_mutex_unlock(&worker->lock);
        return NULL;
}

static int worker_start(Worker *worker) {
        int r;

        worker->ring = calloc(RING, sizeof(Block));
        r = worker->ring ? digest_new(&worker->digest) : -ENOMEM;
        if (r < 0)
                return r;
        pthread_mutex_init(&worker->lock, NULL);
        pthread_cond_init(&worker->change, NULL);
        r = -pthread_create(&worker->thread, NULL, work, worker);
        worker->started = r == 0;
        return r;
}

static void worker_end(Worker *worker) {
        if (worker->started) {
                pthread_mutex_lock(&worker->lock);
                worker->ending = true;
                pthread_cond_broadcast(&worker->change);
                pthread_mutex_unlock(&worker->lock);
                pthread_join(worker->thread, NULL);
        }
        digest_free(worker->digest);
        free(worker->ring);
        *worker = (Worker){ 0 };
}

unsigned hasher_workers(void) {
        cpu_set_t set;
        int n;

        if (sched_getaffinity(0, sizeof(set), &set) < 0)
                return 0;
        n = CPU_COUNT(&set) - 1;
        return n > HASHER_WORKERS_MAX ? HASHER_WORKERS_MAX : (unsigned) n;
}

int hasher_new(unsigned workers, Hasher **ret_hasher) {
        SCOPED(hasher_free) Hasher *hasher = calloc(1, sizeof(*hasher));
        int r = hasher ? digest_new(&hasher->digest) : -ENOMEM;

        if (r < 0)
                return r;
        while (hasher->n_workers < workers && hasher->n_workers < HASHER_WORKERS_MAX) {
                if (worker_start(&hasher->workers[hasher->n_workers]) < 0) {
                        /* a narrow pids limit costs speed, not the job */
                        worker_end(&hasher->workers[hasher->n_workers]);
                        break;
                }
                hasher->n_workers++;
        }
        *ret_hasher = TAKE_PTR(hasher);
        return 0;
}

Hasher *hasher_free(Hasher *hasher) {
        unsigned i;

        if (!hasher)
                return NULL;
        for (i = 0; i < hasher->n_workers; i++)
                worker_end(&hasher->workers[i]);
        digest_free(hasher->digest);
        free(hasher);
        return NULL;
}

static unsigned waiting(Worker *worker) {
        unsigned n;

        pthread_mutex_lock(&worker->lock);
        n = worker->filled - worker->emptied;
        pthread_mutex_unlock(&worker->lock);
        return n;
}

/* The least loaded worker that has half its ring free, or NULL: hashing here is then the faster way. */
static Worker *choose(Hasher *hasher) {
        Worker *best = NULL;
        unsigned least = RING / 2, i;

        for (i = 0; i < hasher->n_workers; i++) {
                unsigned n = waiting(&hasher->workers[i]);

                if (n < least) {
                        least = n;
                        best = &hasher->workers[i];
                }
        }
        return best;
}

/* The block that is being filled; @filled is read without the lock by the one thread that writes it. */
static Block *open_block(Worker *worker) {
        return &worker->ring[worker->filled % RING];
}

static void pass_on(Worker *worker) {
        Block *next;

        pthread_mutex_lock(&worker->lock);
        worker->filled++;
        pthread_cond_broadcast(&worker->change);
        while (worker->filled - worker->emptied >= RING)
                pthread_cond_wait(&worker->change, &worker->lock);
        pthread_mutex_unlock(&worker->lock);
        next = open_block(worker);
        next->n_pieces = 0;
        next->used = 0;
}

static void queue(Worker *worker, const char *bytes, size_t n, uint8_t *value) {
        do {
                Block *block = open_block(worker);
                size_t part = BLOCK_BYTES - block->used;

                if (part > n)
                        part = n;
                if (part > 0)
                        memcpy(block->bytes + block->used, bytes, part);
                block->pieces[block->n_pieces++] =
                        (Piece){ .size = (uint32_t) part, .value = part == n ? value : NULL };
                block->used += (uint32_t) part;
                bytes += part;
                n -= part;
                if (block->used == BLOCK_BYTES || block->n_pieces == BLOCK_PIECES)
                        pass_on(worker);
        } while (n > 0);
}

void hasher_begin(Hasher *hasher, uint8_t *ret_value) {
        hasher->value = ret_value;
        hasher->current = choose(hasher);
}

void hasher_add(Hasher *hasher, const void *bytes, size_t n) {
        if (hasher->current)
                queue(hasher->current, bytes, n, NULL);
        else
                digest_add(hasher->digest, bytes, n);
}

void hasher_add_zeroes(Hasher *hasher, uint64_t n) {
        static const char zeroes[65536];

        while (n > 0) {
                size_t part = n < sizeof(zeroes) ? (size_t) n : sizeof(zeroes);

                hasher_add(hasher, zeroes, part);
                n -= part;
        }
}

void hasher_end(Hasher *hasher) {
        if (hasher->current)
                queue(hasher->current, "", 0, hasher->value);
        else
                digest_end(hasher->digest, hasher->value);
        hasher->current = NULL;
}

void hasher_finish(Hasher *hasher) {
        unsigned i;

        for (i = 0; i < hasher->n_workers; i++) {
                Worker *worker = &hasher->workers[i];

                if (open_block(worker)->n_pieces > 0)
                        pass_on(worker);
                pthread_mutex_lock(&worker->lock);
                while (worker->emptied != worker->filled)
                        pthread_cond_wait(&worker->change, &worker->lock);
                pthread_mutex_unlock(&worker->lock);
        }
}
