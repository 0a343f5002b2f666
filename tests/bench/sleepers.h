#pragma once
/*
 * sleepers: sandboxes that do nothing, each with one `sleep`: jails and those of peers. What they take of memory is what
 * the host has less of (MemAvailable), so it holds the kernel's share, and that of whoever else works on this host.
 */
#include "tests/bench/server.h"

#define SLEEPERS_MAX   1000
#define SLEEPER_LIMITS "\"limits\":{\"memory\":33554432,\"disk\":8388608,\"pids\":16}"

typedef struct Sleepers {  /* jails */
        RpcPeer *peers[5]; /* owned: answers of commands that nobody reads arrive there */
        char ids[SLEEPERS_MAX][16];
        uint64_t made[SLEEPERS_MAX]; /* nanoseconds that each create took */
        unsigned n;
} Sleepers;

/** sleepers_available() - bytes of memory that the host says it has left, when what was done has settled */
uint64_t sleepers_available(void);
/** sleepers_took() - bytes that one of @n took since @before. Returns: 0, or -EAGAIN: others gave back more meanwhile */
int sleepers_took(uint64_t before, unsigned n, uint64_t *ret_bytes, Error *err);
/** sleepers_start() - be ready for jails. Returns: 0 or negative errno */
int sleepers_start(Sleepers *sleepers, Bench *bench, Error *err);
/** sleepers_add() - one more jail, and a command in it that nobody waits for */
int sleepers_add(Sleepers *sleepers, Bench *bench, Error *err);
/** sleepers_end() - all jails, one after the other, each seen gone */
void sleepers_end(Sleepers *sleepers, Bench *bench);
/** sleepers_of_bwrap() - bytes that one of @n takes. Returns: 0 or negative errno */
int sleepers_of_bwrap(unsigned n, uint64_t *ret_bytes, Error *err);
/** sleepers_of_crun() - likewise, by `crun run -d` */
int sleepers_of_crun(const Bench *bench, unsigned n, uint64_t *ret_bytes, Error *err);
