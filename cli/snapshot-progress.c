/* snapshot-progress: see snapshot-progress.h. */
#include "cli/snapshot-progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/events.h"

SnapshotProgress snapshot_progress_begin(bool json, SnapshotLineFn line, void *userdata) {
        return (SnapshotProgress){
                .json = json, .draws = !json && isatty(2), .line = line, .userdata = userdata
        };
}

void snapshot_progress_note(Link *link, const char *method, const cJSON *params, void *userdata) {
        const SnapshotProgress *progress = userdata;
        char text[SNAPSHOT_LINE_MAX];

        (void) link;
        if (strcmp(method, "snapshot.progress") != 0)
                return;
        if (progress->json)
                events_print(method, cJSON_Duplicate(params, true));
        if (progress->draws)
                fprintf(stderr, "\r%s\033[K", progress->line(params, progress->userdata, text));
}

void snapshot_progress_end(const SnapshotProgress *progress) {
        if (progress->draws)
                fputs("\r\033[K", stderr);
}
