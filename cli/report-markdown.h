#pragma once
/*
 * report-markdown: a report as Markdown, for the summary page of a CI job or a comment on a change.
 */
#include "cli/report.h"

/** report_markdown() - the document, fresh (free()); NULL: no memory */
char *report_markdown(const Report *report);
