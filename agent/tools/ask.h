#pragma once
/*
 * ask: the tool by which a model asks people.
 */
#include "agent/tools/tool.h"

/** tool_ask() - as Tool says: the answer, or that there is none */
int tool_ask(ToolRun *run, const cJSON *arguments, Error *err);
