/* hasher: see hasher.h. */
#include "sandbox/files/hasher.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>

#include "base/digest.h"
#include "sandbox/files/lanes.h"

#define BLOCK_BYTES    (2u << 20) /* 32 whole pieces: twice as many as there are lanes */
#define BLOCK_MESSAGES 4096u
#define BLOCKS         4u /* for the caller, and as many more for each worker */
#define BLOCKS_MAX     (BLOCKS * (1 + HASHER_WORKERS_MAX))

typedef struct Block {
        LanesMessage messages[BLOCK_MESSAGES];
        unsigned n;
        uint32_t used;
        char bytes[BLOCK_BYTES];
} Block;

/* A file of several pieces, whose value is made of theirs in the end. */
typedef struct Whole {
        struct Whole *next;
        uint8_t *value; /* borrowed */
        size_t n;
        uint8_t pieces[]; /* n values */
} Whole;

struct Hasher {
        pthread_t workers[HASHER_WORKERS_MAX];
        unsigned n_workers;
        pthread_mutex_t lock;
        pthread_cond_t change;
        Block *blocks[BLOCKS_MAX]; /* owned */
        unsigned n_blocks;
        Block *free[BLOCKS_MAX]; /* guarded by lock, as the next five */
        unsigned n_free;
        Block *ready[BLOCKS_MAX];
        unsigned n_ready;
        unsigned running; /* blocks that workers have taken */
        bool ending;
        Block *block;                /* being filled; the caller's */
        Digest *digest;              /* owned; of a plain file that is too large for a piece */
        Whole *wholes;               /* owned */
        uint64_t left;               /* bytes of the open file that may come */
        uint32_t piece;              /* bytes of the open piece so far; it ends the block */
        uint8_t *value;              /* where the value of the open piece goes */
        bool in_digest;              /* the open file goes to digest */
        uint8_t zeroes[DIGEST_SIZE]; /* of a whole piece of them */
};

static void hash_block(const Block *block) {
        lanes_hash(LANES_BEST, block->messages, block->n);
}

/* With the lock held: take a block off the queue, hash it without the lock, and free it. */
static void hash_ready(Hasher *hasher) {
        Block *block = hasher->ready[--hasher->n_ready];

        hasher->running++;
        pthread_mutex_unlock(&hasher->lock);
        hash_block(block);
        pthread_mutex_lock(&hasher->lock);
        hasher->running--;
        hasher->free[hasher->n_free++] = block;
        pthread_cond_broadcast(&hasher->change);
}

static void *work(void *userdata) {
        Hasher *hasher = userdata;

        pthread_mutex_lock(&hasher->lock);
        while (!hasher->ending) {
                if (hasher->n_ready > 0)
                        hash_ready(hasher);
                else
                        pthread_cond_wait(&hasher->change, &hasher->lock);
        }
        pthread_mutex_unlock(&hasher->lock);
        return NULL;
}

unsigned hasher_workers(void) {
        cpu_set_t set;
        int n;

        if (sched_getaffinity(0, sizeof(set), &set) < 0)
                return 0;
        n = CPU_COUNT(&set) - 1;
        return n > HASHER_WORKERS_MAX ? HASHER_WORKERS_MAX : (unsigned) n;
}

static int add_blocks(Hasher *hasher) {
        unsigned i;

        for (i = 0; i < BLOCKS; i++) {
                Block *block = malloc(sizeof(Block));

                if (!block)
                        return -ENOMEM;
                hasher->blocks[hasher->n_blocks++] = block;
                hasher->free[hasher->n_free++] = block;
        }
        return 0;
}

static void open_block(Hasher *hasher) {
        hasher->block = hasher->free[--hasher->n_free];
        hasher->block->n = 0;
        hasher->block->used = 0;
}

/* A narrow limit of processes or memory costs speed, not the job. */
static void start_workers(Hasher *hasher, unsigned workers) {
        while (hasher->n_workers < workers && hasher->n_workers < HASHER_WORKERS_MAX) {
                int r;

                pthread_mutex_lock(&hasher->lock);
                r = add_blocks(hasher);
                pthread_mutex_unlock(&hasher->lock);
                if (r < 0 ||
                    pthread_create(&hasher->workers[hasher->n_workers], NULL, work, hasher))
                        return;
                hasher->n_workers++;
        }
}

static void hash_zeroes(Hasher *hasher) {
        static const char zeroes[HASHER_PIECE];

        digest_of(zeroes, sizeof(zeroes), hasher->zeroes);
}

int hasher_new(unsigned workers, Hasher **ret_hasher) {
        SCOPED(hasher_free) Hasher *hasher = calloc(1, sizeof(*hasher));
        int r;

        if (!hasher)
                return -ENOMEM;
        pthread_mutex_init(&hasher->lock, NULL);
        pthread_cond_init(&hasher->change, NULL);
        r = digest_new(&hasher->digest);
        if (r >= 0)
                hash_zeroes(hasher);
        if (r >= 0)
                r = add_blocks(hasher);
        if (r < 0)
                return r;
        open_block(hasher);
        start_workers(hasher, workers);
        *ret_hasher = TAKE_PTR(hasher);
        return 0;
}

static void free_wholes(Hasher *hasher) {
        while (hasher->wholes) {
                Whole *whole = hasher->wholes;

                hasher->wholes = whole->next;
                free(whole);
        }
}

Hasher *hasher_free(Hasher *hasher) {
        unsigned i;

        if (!hasher)
                return NULL;
        pthread_mutex_lock(&hasher->lock);
        hasher->ending = true;
        pthread_cond_broadcast(&hasher->change);
        pthread_mutex_unlock(&hasher->lock);
        for (i = 0; i < hasher->n_workers; i++)
                pthread_join(hasher->workers[i], NULL);
        for (i = 0; i < hasher->n_blocks; i++)
                free(hasher->blocks[i]);
        free_wholes(hasher);
        digest_free(hasher->digest);
        free(hasher);
        return NULL;
}

static void pass_on(Hasher *hasher) {
        pthread_mutex_lock(&hasher->lock);
        hasher->ready[hasher->n_ready++] = hasher->block;
        pthread_cond_broadcast(&hasher->change);
        while (hasher->n_free == 0) {
                if (hasher->n_ready > 0)
                        hash_ready(hasher);
                else
                        pthread_cond_wait(&hasher->change, &hasher->lock);
        }
        open_block(hasher);
        pthread_mutex_unlock(&hasher->lock);
}

/* A piece of at most @size bytes begins: it must lie in one block. */
static void open_piece(Hasher *hasher, uint64_t size) {
        uint32_t need = size < HASHER_PIECE ? (uint32_t) size : HASHER_PIECE;

        if (hasher->block->n == BLOCK_MESSAGES || BLOCK_BYTES - hasher->block->used < need)
                pass_on(hasher);
        hasher->piece = 0;
}

static void close_piece(Hasher *hasher) {
        Block *block = hasher->block;

        block->messages[block->n++] = (LanesMessage){ .bytes = block->bytes + block->used,
                                                      .n = hasher->piece,
                                                      .value = hasher->value };
        block->used += hasher->piece;
        hasher->value += DIGEST_SIZE;
}

static int add_whole(Hasher *hasher, uint64_t size, uint8_t *value) {
        size_t n = (size_t) ((size + HASHER_PIECE - 1) / HASHER_PIECE);
        Whole *whole = malloc(sizeof(*whole) + n * DIGEST_SIZE);

        if (!whole)
                return -ENOMEM;
        whole->n = n;
        whole->value = value;
        whole->next = hasher->wholes;
        hasher->wholes = whole;
        hasher->value = whole->pieces;
        return 0;
}

int hasher_begin(Hasher *hasher, HasherForm form, uint64_t size, uint8_t *ret_value) {
        hasher->left = size;
        hasher->value = ret_value;
        hasher->in_digest = form == HASHER_PLAIN && size > HASHER_PIECE;
        if (hasher->in_digest)
                return 0;
        if (size > HASHER_PIECE && add_whole(hasher, size, ret_value) < 0)
                return -ENOMEM;
        open_piece(hasher, size);
        return 0;
}

/* Where the next bytes of the file go, and how many of them fit. */
static char *take_room(Hasher *hasher, uint64_t n, uint32_t *ret_part) {
        uint32_t room;

        if (hasher->piece == HASHER_PIECE) {
                close_piece(hasher);
                open_piece(hasher, hasher->left);
        }
        room = HASHER_PIECE - hasher->piece;
        *ret_part = n < room ? (uint32_t) n : room;
        return hasher->block->bytes + hasher->block->used + hasher->piece;
}

/*
 * A piece that lies in a hole has a value that is known: a file of a terabyte of nothing costs no time. The last
 * piece is left to hasher_end().
 */
static bool pass_zeroes(Hasher *hasher, uint64_t n) {
        if (hasher->piece == HASHER_PIECE) {
                close_piece(hasher);
                open_piece(hasher, hasher->left);
        }
        if (hasher->piece > 0 || n < HASHER_PIECE || hasher->left <= HASHER_PIECE)
                return false;
        memcpy(hasher->value, hasher->zeroes, DIGEST_SIZE);
        hasher->value += DIGEST_SIZE;
        hasher->left -= HASHER_PIECE;
        return true;
}

static void add(Hasher *hasher, const char *bytes, uint64_t n) {
        while (n > 0) {
                uint32_t part;
                char *to;

                if (!bytes && pass_zeroes(hasher, n)) {
                        n -= HASHER_PIECE;
                        continue;
                }
                to = take_room(hasher, n, &part);
                if (bytes)
                        memcpy(to, bytes, part);
                else
                        memset(to, 0, part);
                if (bytes)
                        bytes += part;
                hasher->piece += part;
                hasher->left -= part;
                n -= part;
        }
}

void hasher_add(Hasher *hasher, const void *bytes, size_t n) {
        if (n > hasher->left)
                n = (size_t) hasher->left;
        if (!hasher->in_digest) {
                add(hasher, bytes, n);
                return;
        }
        digest_add(hasher->digest, bytes, n);
        hasher->left -= n;
}

void hasher_add_zeroes(Hasher *hasher, uint64_t n) {
        static const char zeroes[HASHER_PIECE];

        if (n > hasher->left)
                n = hasher->left;
        if (!hasher->in_digest) {
                add(hasher, NULL, n);
                return;
        }
        while (n > 0) {
                size_t part = n < sizeof(zeroes) ? (size_t) n : sizeof(zeroes);

                hasher_add(hasher, zeroes, part);
                n -= part;
        }
}

void hasher_end(Hasher *hasher) {
        if (hasher->in_digest)
                digest_end(hasher->digest, hasher->value);
        else
                close_piece(hasher);
}

void hasher_finish(Hasher *hasher) {
        const Whole *whole;

        pass_on(hasher);
        pthread_mutex_lock(&hasher->lock);
        while (hasher->n_ready > 0 || hasher->running > 0) {
                if (hasher->n_ready > 0)
                        hash_ready(hasher);
                else
                        pthread_cond_wait(&hasher->change, &hasher->lock);
        }
        pthread_mutex_unlock(&hasher->lock);
        for (whole = hasher->wholes; whole; whole = whole->next)
                digest_of(whole->pieces, whole->n * DIGEST_SIZE, whole->value);
        free_wholes(hasher);
}
