/* time-left: see time-left.h. */
#include "cli/time-left.h"

#include "base/owned.h"

#define MINUTE ((uint64_t) 60 * 1000000)

static const uint64_t warnings[] = { 5 * MINUTE, MINUTE };

void time_left_take(TimeLeft *left, const cJSON *result, uint64_t now_usec, bool at_once) {
        uint64_t usec = 0;

        left->end_usec = 0;
        if (json_number(result, "wall_left_usec", &usec) < 0)
                return;
        left->end_usec = now_usec + usec;
        /* who began it with less knows how much it is */
        while (!left->is_known && !at_once && left->next < ELEMENTS(warnings) &&
               warnings[left->next] >= usec)
                left->next++;
        left->is_known = true;
}

uint64_t time_left_due(const TimeLeft *left) {
        if (left->end_usec == 0 || left->next >= ELEMENTS(warnings))
                return UINT64_MAX;
        return left->end_usec > warnings[left->next] ? left->end_usec - warnings[left->next] : 0;
}

uint64_t time_left_said(TimeLeft *left, uint64_t now_usec) {
        while (time_left_due(left) <= now_usec) /* with the last one all before it are said */
                left->next++;
        return left->end_usec > now_usec ? left->end_usec - now_usec : 0;
}
