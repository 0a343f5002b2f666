#pragma once
/*
 * task-live: a task's tree on a terminal while it changes.
 */
#include "cli/screen.h"
#include "cli/task-tree.h"

typedef struct TaskLive {
        TaskTree tree;
        Screen screen;
        int fd;                  /* borrowed: the terminal */
        bool plain_marks;        /* it is not UTF-8 */
        bool dirty;              /* something changed since it was drawn */
        uint64_t drawn_usec;     /* monotonic; 0: not yet */
        char say[TREE_TEXT_MAX]; /* of the command itself, below the tree */
} TaskLive;

#define TASK_LIVE_EMPTY ((TaskLive){ .screen = SCREEN_EMPTY, .fd = -EBADF })

/** task_live_start() - draw on the terminal @fd (borrowed) from now on */
void task_live_start(TaskLive *live, int fd);

/** task_live_event() - take an event in; it is shown when task_live_wake() is called next */
void task_live_event(TaskLive *live, const cJSON *event);

/** task_live_say() - a sentence of the command, NULL: none any more */
void task_live_say(TaskLive *live, const char *text);

/**
 * task_live_wake() - draw what is due
 *
 * At most some 15 times a second; once a second where only time goes on.
 *
 * Returns: when it wants to be called next, monotonic microseconds.
 */
uint64_t task_live_wake(TaskLive *live);

/** task_live_resized() - the terminal has another size */
void task_live_resized(TaskLive *live);

/** task_live_pause() - Ctrl-Z: give the terminal back, stop this process, go on when it is continued */
void task_live_pause(TaskLive *live);

/** task_live_stop() - give the terminal back, with the last state of the tree on it; nothing where it was not started */
void task_live_stop(TaskLive *live);
