#pragma once
/*
 * doctor-attack: warder-probe run in a jail, and what it found.
 */
#include "cli/doctor-report.h"

typedef struct AttackOptions {
        const char *policy;   /* NULL: the caller's or the supervisor's default */
        const char *snapshot; /* NULL: likewise */
} AttackOptions;

/**
 * doctor_attack() - make a jail, run all probes in it as its user and as its id 0, end it
 * @socket: of the supervisor, NULL: as cli/connect.h finds it
 * @rows:   gets one object a probe: probe, tried, as, outcome, wall, evidence
 *
 * What the program says is data: rows of another shape, too few or too many count as unclear.
 *
 * Returns: 0 or negative errno where no jail could be made or the program could not be run.
 */
int doctor_attack(const AttackOptions *options, const char *socket, cJSON *rows,
                  AttackTotals *ret_totals, Error *err);
