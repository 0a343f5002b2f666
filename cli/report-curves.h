#pragma once
/*
 * report-curves: what a command used over time, drawn.
 */
#include "base/json.h"
#include "cli/page.h"

/** report_chart() - processor and memory of a command over time, from its samples; nothing below two */
void report_chart(Page *page, const cJSON *command);
