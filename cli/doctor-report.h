#pragma once
/*
 * doctor-report: the table of "warder doctor --attack", row by row, and its totals.
 */
#include "base/json.h"

#define REPORT_COLUMNS  5 /* probe, tried, outcome, wall, evidence */
#define REPORT_WORD_MAX 64

typedef struct AttackTotals {
        unsigned held;
        unsigned through;
        unsigned unclear;
        unsigned not_tried;
} AttackTotals;

typedef struct AttackReport {
        cJSON *rows; /* borrowed */
        AttackTotals totals;
} AttackReport;

/** report_add() - a row of REPORT_COLUMNS words, tried as the user or as id 0 */
void report_add(AttackReport *report, const char *as, char *const *words);

/** report_unclear() - what was to be heard was not; it counts as not held */
void report_unclear(AttackReport *report, const char *as, char *evidence);

/** report_read() - the lines of warder-probe; too few, or a wrong number at their end, are unclear */
void report_read(AttackReport *report, const char *as, const char *text);
