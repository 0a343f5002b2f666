#pragma once
/*
 * verify-event: what is told of one command of a verify: that it begins, and what came of it. The end holds
 * what a report needs: how it ended, the names of its tests, the end of its output, and its samples.
 */
#include "supervisor/front/gate/run-result.h"

#define TOLD_NAMES_MAX       (200u * 1024) /* bytes of names in one event */
#define TOLD_OUTPUT_MAX      (64u * 1024)
#define TOLD_TASK_NAMES_MAX  (32u * 1024) /* in a task's log, which is kept */
#define TOLD_TASK_OUTPUT_MAX (8u * 1024)

/**
 * verify_event_command() - data of the event
 * @run:     NULL: it begins
 * @is_kept: the event goes into a task's log
 *
 * Failed tests come first: where there is no room for all names, "names_cut" says so.
 *
 * Returns: a fresh object, NULL: no memory.
 */
cJSON *verify_event_command(const char *id, const RunCommand *run, bool is_kept);

/** verify_event_shorten() - leave of such data how the command ended and what it used, as a receipt has it */
void verify_event_shorten(cJSON *data);
