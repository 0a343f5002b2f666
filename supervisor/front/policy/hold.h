#pragma once
/*
 * hold: how long a jail that does not fit may hold up others that would.
 *
 * It may, so that a large one gets what becomes free and is not starved by small ones; not for ever, or who
 * asks for more than there is starves all others. So there is one credit of time for all who hold up, whoever
 * they are and however often they come and go: it is used up while somebody who would fit is held up, and
 * comes back at a third of that speed. Used up, all who fit pass until it is whole again. Over a long
 * time nobody is held up for more than a quarter of it, and for no less is room kept for the large ones.
 */
#include <stdbool.h>
#include <stdint.h>

typedef struct Hold { /* {0}: the credit is whole */
        uint64_t credit_usec;
        uint64_t at_usec; /* of the last look */
        bool is_holding;  /* since then */
        bool is_open;     /* used up, and not whole again: who fits passes */
} Hold;

/** hold_look() - count the time since the last look. @max_usec: the whole credit. Returns: may others pass */
bool hold_look(Hold *hold, uint64_t now_usec, uint64_t max_usec);
/** hold_set() - from this look on somebody who fits is held up, or nobody is */
void hold_set(Hold *hold, bool is_holding);
/** hold_left() - usec of credit; when they are over others may pass. UINT64_MAX: nobody is held up */
uint64_t hold_left(const Hold *hold);
