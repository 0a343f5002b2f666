#pragma once
/*
 * handles: things found by a number that is theirs alone, in a time that does not grow with how many there are. The
 * links lie in the things themselves (container_of()): nothing is allocated, so adding cannot fail.
 */
#include <stdint.h>

#define HANDLES_BUCKETS 1024u /* a few thousand things: a handful in each */

typedef struct HandleLink { /* embedded in the thing */
        struct HandleLink *next;
        uint64_t key;
} HandleLink;

typedef struct Handles { /* all zero: empty */
        HandleLink *buckets[HANDLES_BUCKETS];
} Handles;

/** handles_add() - @link must be in no Handles, @key be nobody else's */
void handles_add(Handles *handles, HandleLink *link, uint64_t key);
/** handles_remove() - one that is not there is fine */
void handles_remove(Handles *handles, const HandleLink *link);
/** handles_find() - Returns: borrowed, NULL: there is none */
HandleLink *handles_find(const Handles *handles, uint64_t key);
