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
 * shell_output() - what a command wrote, both streams in one text, as it came
 * @answer:    of `exec`; its descriptors are read where the output came by one
 * @ret_owned: what was read from a descriptor, the caller's to free
 *
 * What the supervisor left out is marked by a line in its place.
 *
 * Returns: borrowed from @answer or *@ret_owned; "" where there is none.
 */
const char *shell_output(LinkAnswer *answer, char **ret_owned);

/**
 * shell_describe() - a command's record as text for a model
 * @record: the result of `exec`
 * @text:   what it wrote
 *
 * First line: how it ended; then the output, cut by the rules.
 *
 * Returns: as buf_append(); sets run->failed.
 */
int shell_describe(ToolRun *run, const cJSON *record, const char *text);
