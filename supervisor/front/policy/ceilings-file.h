#pragma once
/*
 * ceilings-file: the ceilings that are in force. The file is looked at when somebody asks for something,
 * and read again where it is another one than before; a wrong one is logged, and the last good one stays.
 */
#include "supervisor/front/front.h"
#include "supervisor/front/policy/ceilings.h"

/**
 * ceilings_file_new() - watch over a directory's ceilings.json
 * @dir_fd: borrowed, outlives us; -EBADF: there is none, so what is built in holds
 *
 * Returns: 0 or -ENOMEM. A wrong file is no failure: until it is right, ceilings_file_now() fails.
 */
int ceilings_file_new(Front *front, int dir_fd, CeilingsFile **ret, Error *err);
/** ceilings_file_free() - NULL is fine. Returns: NULL */
CeilingsFile *ceilings_file_free(CeilingsFile *file);

/**
 * ceilings_file_now() - look whether the file has changed
 * @ret: what holds now, borrowed until the next call; NULL: there is no file, what is built in holds
 *
 * Returns: 0, or -EINVAL with file, line, field and reason where the file is wrong and there was no good
 * one before it: then nobody may have anything.
 */
int ceilings_file_now(CeilingsFile *file, const Ceilings **ret, Error *err);
/** ceilings_file_count() - how often what holds has changed */
unsigned ceilings_file_count(const CeilingsFile *file);
