#pragma once
/*
 * report-time: what happened when, and the curves of a command.
 */
#include "cli/page.h"
#include "cli/report.h"

/** report_timeline() - the section: steps, calls of the model and of tools, commands of verifies, with their causes */
void report_timeline(Page *page, const Report *report);

/** report_chart() - processor and memory of a command over time, from its samples; nothing below two */
void report_chart(Page *page, const cJSON *command);
