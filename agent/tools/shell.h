#pragma once
/*
 * shell: the tools that make the supervisor run something: bash in the task's jail, verify in fresh ones.
 */
#include "agent/tools/tool.h"

/** tool_bash() - {command, timeout}: `exec` of the task socket. Returns: as Tool.run */
int tool_bash(ToolRun *run, const cJSON *arguments, Error *err);

/** tool_verify() - {}: `verify` of the task socket, the digest as the result. Returns: as Tool.run */
int tool_verify(ToolRun *run, const cJSON *arguments, Error *err);

/**
 * shell_describe() - a command's record as text for a model
 * @answer: of `exec`; its descriptors are read where the output came by one
 *
 * First line: how it ended; then the output, cut by the rules.
 *
 * Returns: as buf_append(); sets run->failed.
 */
int shell_describe(ToolRun *run, LinkAnswer *answer);
