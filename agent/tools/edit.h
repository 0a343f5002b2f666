#pragma once
/*
 * edit: exact replacement of text. It never guesses: empty, identical, missing and ambiguous texts are
 * refused with line numbers and what to do, because an edit that hits the wrong place silently costs more
 * than one more call.
 */
#include "agent/tools/tool.h"

/** tool_edit() - {path, old_string, new_string, replace_all}. Returns: as Tool.run */
int tool_edit(ToolRun *run, const cJSON *arguments, Error *err);

enum { _EDIT_E_SUCCESS, EDIT_E_REFUSED };

typedef struct EditSpec {
        const char *path; /* for messages */
        const char *old_text;
        const char *new_text;
        bool all;
} EditSpec;

/**
 * edit_text() - the text after the edit
 * @said: gets one sentence: what was replaced at which lines, or why nothing was
 *
 * Returns: 0 and fresh @ret_text; EDIT_E_REFUSED; -ENOMEM, -ENOBUFS.
 */
int edit_text(const EditSpec *spec, const char *text, char **ret_text, Buf *said);
