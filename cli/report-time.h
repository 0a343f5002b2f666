#pragma once
/*
 * report-time: what happened when.
 */
#include "cli/page.h"
#include "cli/report.h"

/** report_timeline() - the section: steps, calls of the model and of tools, commands of verifies, with their causes */
void report_timeline(Page *page, const Report *report);
