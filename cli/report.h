#pragma once
/*
 * report: what a verify or a task came to, in the forms of people and machines. Everything in it may come from
 * a hostile patch: names of tests and files, output, requests.
 */
#include "base/json.h"

typedef struct Report {       /* all borrowed but for results */
        const cJSON *verdict; /* NULL: there is none */
        const cJSON *task;    /* as task.show has it; NULL: a verify without a task */
        const cJSON *events;  /* array, in their order, with times */
        const char *patch;    /* "" where there is none */
        const char *version;  /* of warder */
        cJSON *results;       /* owned: of the last run, one a command, by reference into events */
} Report;

/** report_gather() - find the results of the last run in the events. Returns: 0 or -ENOMEM */
int report_gather(Report *report);
/** report_deinit() - release what report_gather() made */
void report_deinit(Report *report);

/** report_events() - lines of events.jsonl as an array, owned by the caller; lines that are none are left out */
cJSON *report_events(const char *lines);

/** report_word() - the verdict, or the state of a task without one; "no verdict" */
const char *report_word(const Report *report);

/** report_reason() - why: the verdict's reason, or what a task without a verdict says of its end; NULL where nobody says */
const char *report_reason(const Report *report);

/** report_number() - a member that is a count; 0 where it is none */
uint64_t report_number(const cJSON *object, const char *name);

/** report_seconds() - microseconds as seconds with three digits into @text of 32 bytes. Returns: @text */
const char *report_seconds(uint64_t usec, char *text);

/** report_end_text() - how a command ended, "exited with code 1, memory limit reached": fresh, NULL: no memory */
char *report_end_text(const cJSON *command);

/** report_excerpt() - the lines of @output that are about the test @name: fresh; NULL where there are none */
char *report_excerpt(const char *output, const char *name);

/** report_lists - members of a verdict that are names, with what they mean; ended by NULL */
typedef struct ReportList {
        const char *member; /* JSON pointer */
        const char *title;  /* for people */
        const char *
                bad; /* a type for JUnit where each is a failure of the gate, if it did not pass; NULL: it is none */
        bool fails; /* names of tests whose output says why */
} ReportList;
extern const ReportList report_lists[];

/** report_item() - one item of such a list as text: fresh, NULL: no memory */
char *report_item(const cJSON *item);
