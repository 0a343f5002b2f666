#pragma once
/*
 * stats-live: a StatsTable that is drawn on a terminal, again with each look, and keys that sort it.
 */
#include "cli/link.h"
#include "cli/screen.h"
#include "cli/stats-view.h"

typedef struct StatsLive {
        Screen screen;
        int fd;         /* borrowed; -EBADF: nothing is drawn */
        StatsView view; /* its size is taken anew each time */
        cJSON *tasks;   /* owned: "tasks" of task.list; NULL: they are not shown */
        bool keys;      /* the last line says what they do */
        bool is_dirty;
} StatsLive;

#define STATS_LIVE_EMPTY ((StatsLive){ .screen = SCREEN_EMPTY, .fd = -EBADF })

/** stats_live_start() - begin on @fd, a terminal */
void stats_live_start(StatsLive *live, int fd);
/** stats_live_draw() - where something changed; and enter the screen again after it was left */
void stats_live_draw(StatsLive *live, const StatsTable *table);
/** stats_live_key() - a key was pressed. Returns: does it end the show */
bool stats_live_key(StatsLive *live, char key);
/** stats_live_resized() - the terminal has another size */
void stats_live_resized(StatsLive *live);
/** stats_live_pause() - Ctrl-Z: leave the screen, stop, and go on when continued */
void stats_live_pause(StatsLive *live);
/** stats_live_stop() - the terminal as it was, and the last table on it */
void stats_live_stop(StatsLive *live, const StatsTable *table);
