#pragma once
/*
 * files: the tools read and write. The supervisor's init opens the file from inside the jail, as the
 * command's id; what comes is a descriptor, so that no path is looked at twice.
 */
#include "agent/tools/tool.h"

#define FILES_READ_MAX (8 * 1024 * 1024) /* bytes of a file that read and edit take in */

/** tool_read() - {path, offset, limit}: numbered lines. Returns: as Tool.run */
int tool_read(ToolRun *run, const cJSON *arguments, Error *err);

/** tool_write() - {path, content}. Returns: as Tool.run */
int tool_write(ToolRun *run, const cJSON *arguments, Error *err);

enum { _FILES_E_SUCCESS, FILES_E_REFUSED };

/**
 * files_open() - a descriptor of a file in the jail
 * @path:  as the model gave it
 * @flags: words of `open`, separated by spaces: "read", "write create truncate parents", …
 *
 * Returns: 0 and @ret_fd; FILES_E_REFUSED: run's result says why; negative errno.
 */
int files_open(ToolRun *run, const char *path, const char *flags, int *ret_fd, Error *err);

/**
 * files_load() - a text file's whole content
 * Returns: 0 and fresh @ret_text (its length in @ret_n); FILES_E_REFUSED: too large or binary, run's
 *          result says so; negative errno.
 */
int files_load(ToolRun *run, const char *path, int fd, char **ret_text, size_t *ret_n);
