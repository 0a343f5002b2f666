#pragma once
/*
 * find: the tools glob and grep. The supervisor searches the jail's tree in a jail of its own.
 */
#include "agent/tools/tool.h"

/** tool_glob() - {pattern, path}: paths. Returns: as Tool.run */
int tool_glob(ToolRun *run, const cJSON *arguments, Error *err);

/** tool_grep() - {pattern, path, glob, ignore_case}: path:line:text. Returns: as Tool.run */
int tool_grep(ToolRun *run, const cJSON *arguments, Error *err);
