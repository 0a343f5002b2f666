#pragma once
/*
 * samples: processor time, memory and processes of a jail while a command runs, for the curves of a report.
 * However long it takes, at most SAMPLES_MAX are kept, evenly spread: when there is no more room every
 * other one goes, and from then on half as many are taken.
 */
#include "supervisor/front/jails/jails.h"

#define SAMPLES_MAX        128u
#define SAMPLES_FIRST_USEC 50000u

typedef struct Samples Samples;

/** samples_start() - begin, of the jail by this id. Returns: 0 or negative errno */
int samples_start(Front *front, const char *jail, Samples **ret, Error *err);

/**
 * samples_take() - a last one, and all of them; NULL is fine
 *
 * Returns: a fresh array of [microseconds since the start, processor microseconds, bytes, processes]; NULL.
 * Owns:    @samples is released.
 */
cJSON *samples_take(Samples *samples);

/** samples_free() - release them; NULL is fine. Returns: NULL */
Samples *samples_free(Samples *samples);
