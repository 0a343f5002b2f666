#pragma once
/*
 * snapshot-progress: what comes while a snapshot is imported, exported or checked: an event with --json, else a line that
 * is drawn over again on a terminal.
 */
#include <stdbool.h>

#include "base/units.h"
#include "cli/import-progress.h"
#include "cli/link.h"

#define SNAPSHOT_LINE_MAX IMPORT_LINE_MAX

/** SnapshotLineFn - the line for @params of a notification, into @text of SNAPSHOT_LINE_MAX. Returns: @text */
typedef const char *(*SnapshotLineFn)(const cJSON *params, void *userdata, char *text);

typedef struct SnapshotProgress {
        bool json;
        bool draws;
        SnapshotLineFn line;
        void *userdata; /* borrowed, for it */
} SnapshotProgress;

/** snapshot_progress_begin() - how @json, and what stderr is, want it */
SnapshotProgress snapshot_progress_begin(bool json, SnapshotLineFn line, void *userdata);

/** snapshot_progress_note() - LinkNoteFn; @userdata is the SnapshotProgress */
void snapshot_progress_note(Link *link, const char *method, const cJSON *params, void *userdata);

/** snapshot_progress_end() - take the line away */
void snapshot_progress_end(const SnapshotProgress *progress);
