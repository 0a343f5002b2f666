#pragma once
/*
 * spans: where a file has data and where it has holes, as its file system tells.
 */
#include <stdbool.h>
#include <stdint.h>

typedef struct Span { /* of bytes that are no hole */
        uint64_t at, end;
} Span;

/**
 * span_next() - the next span of data in a file
 * @fd:   the file, borrowed; where it stands is changed
 * @at:   where to begin
 * @size: how much of the file counts; it may be more or less by now
 *
 * A file system that knows of no holes has one span. How many blocks a file has says nothing: where content is
 * compressed, or lies in the inode, it has less than its size would need and yet no hole.
 *
 * Returns: whether there is one.
 */
bool span_next(int fd, uint64_t at, uint64_t size, Span *ret);
