#pragma once
/*
 * report-html: a report as one page of HTML that needs nothing else: no script, no image, no font, no request.
 */
#include "cli/page.h"
#include "cli/report.h"

/** report_html() - the document, fresh (free()); NULL: no memory */
char *report_html(const Report *report);

/** report_tone() - class of a word: "good", "bad", "warn" */
const char *report_tone(const char *word);
