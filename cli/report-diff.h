#pragma once
/*
 * report-diff: the patch of a report, file by file, with what the gate put back.
 */
#include "cli/page.h"
#include "cli/report.h"

/** report_diff() - the section; nothing where there is no patch */
void report_diff(Page *page, const Report *report);
