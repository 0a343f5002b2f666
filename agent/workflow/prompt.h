#pragma once
/*
 * prompt: the words around a role's instructions.
 */
#include "agent/roles/role.h"

#define PROMPT_TREE_MAX (8 * 1024) /* bytes of the list of files */

/**
 * prompt_system() - the system prompt: instructions, where the work happens, files, form of the answer
 * @schema: of the output, NULL: plain text
 * @info:   task.info; its tree is listed
 *
 * Returns: 0 with fresh @ret_text, -ENOMEM.
 */
int prompt_system(const Role *role, const cJSON *schema, const cJSON *info, char **ret_text);

/** prompt_misfit() - what to tell a model whose output does not fit; fresh, NULL: no memory */
char *prompt_misfit(const char *fault);
