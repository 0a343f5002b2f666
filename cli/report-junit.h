#pragma once
/*
 * report-junit: a report as JUnit's XML, for the pages of CI systems.
 */
#include "cli/report.h"

/** report_junit() - the document, fresh (free()); NULL: no memory */
char *report_junit(const Report *report);
