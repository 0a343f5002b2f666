/*
 * hold: see hold.h.
 */
#include "supervisor/front/policy/hold.h"

#define SLOWER 3 /* what was used in a second comes back in three */

bool hold_look(Hold *hold, uint64_t now_usec, uint64_t max_usec) {
        uint64_t passed = now_usec > hold->at_usec ? now_usec - hold->at_usec : 0;

        hold->at_usec = now_usec;
        if (hold->is_holding)
                hold->credit_usec -= passed < hold->credit_usec ? passed : hold->credit_usec;
        else
                hold->credit_usec += passed / SLOWER;
        if (hold->credit_usec > max_usec)
                hold->credit_usec = max_usec;
        hold->is_open = hold->credit_usec == 0 || (hold->is_open && hold->credit_usec < max_usec);
        return hold->is_open;
}

void hold_set(Hold *hold, bool is_holding) {
        hold->is_holding = is_holding;
}

uint64_t hold_left(const Hold *hold) {
        return hold->is_holding ? hold->credit_usec : UINT64_MAX;
}
