#pragma once
/*
 * filter-evidence: a record of a filter's kill in words: which call, of which architecture, which filter.
 */
#include "base/json.h"
#include "supervisor/front/commands/audit-record.h"

/**
 * filter_evidence() - "call" (null: no name), "number", "arch", "filter"
 *
 * "filter" is floor for a call of another architecture than the host's own or of x32, which the floor kills
 * whatever a profile says, and policy for any other: the floor kills none of those.
 *
 * Returns: fresh; NULL: no memory.
 */
cJSON *filter_evidence(const AuditRecord *record);
