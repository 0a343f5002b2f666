#pragma once
/*
 * time-left: a limit of time ends a command also where a person sits at it: who does hears of it some minutes before.
 */
#include <stdbool.h>

#include "base/json.h"

typedef struct TimeLeft {
        uint64_t end_usec; /* monotonic; 0: no limit that is known */
        unsigned next;     /* of the warnings */
        bool is_known;
} TimeLeft;

/**
 * time_left_take() - what an answer of jail.attach says, at each: where the jail is frozen, there is more time than was said
 * @at_once: at the first: who comes to it late hears at once what others have heard before
 */
void time_left_take(TimeLeft *left, const cJSON *result, uint64_t now_usec, bool at_once);

/** time_left_due() - when the next warning is to be said, monotonic. Returns: UINT64_MAX: never */
uint64_t time_left_due(const TimeLeft *left);

/** time_left_said() - it was. Returns: microseconds that there are left */
uint64_t time_left_said(TimeLeft *left, uint64_t now_usec);
