#pragma once
/*
 * doctor-open: attacks by way of the supervisor's own file API (jail.open), which opens for a caller what
 * a command in the jail has prepared.
 */
#include "cli/doctor-report.h"
#include "cli/link.h"

/**
 * doctor_open() - ask for the files that "warder-probe plant" left, and for others that must not be had
 * @jail: where it was planted
 *
 * Returns: 0, or negative errno where the connection is lost.
 */
int doctor_open(Link *link, const char *jail, AttackReport *report, Error *err);
