#pragma once
/*
 * task-view: a task's tree as lines of a terminal. Nothing but text is made here: the same tree, size and time
 * give the same lines. All that came from outside is escaped.
 */
#include "base/buf.h"
#include "cli/task-tree.h"

typedef struct ViewSize {
        unsigned width; /* columns; every line has at most so many */
        unsigned
                height; /* lines at most; what has ended is left out first. 0: as many as it takes */
        uint64_t now_usec; /* since 1970: how long what runs has run */
        bool colour;
        bool plain_marks; /* ASCII only in what is ours, for a terminal that is not UTF-8 */
} ViewSize;

/** task_view_render() - append the lines, each ended by '\n'. Returns: as buf_append() */
int task_view_render(const TaskTree *tree, const ViewSize *size, Buf *out);
